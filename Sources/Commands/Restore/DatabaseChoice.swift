// Which databases of a backup are restored with their content (repository-format.md section 10.8).

import BackstopCore

/// Pure. Files of the other databases become holes of the same size: the server starts, and those databases are dropped afterwards.
struct DatabaseChoice: Sendable {
    /// Ids of the databases that become empty.
    let emptied: Set<UInt64>

    private static let systemNames: Set = ["template0", "template1", "postgres"]
    /// The first id that a server gives to what users make.
    private static let firstUserID: UInt64 = 16_384

    /// nil when nothing is chosen. `included`, `excluded`: names, or ids. Throws `.format` (29) for a backup without databases, `.dbMissing` (80) for
    /// one that it does not have, `.dbInvalid` (81) for what is included anyway, or excluded too.
    init?(_ manifest: Manifest, included: [String], excluded: [String]) throws(BackupError) {
        if included.isEmpty, excluded.isEmpty { return nil }
        func isSystem(_ id: UInt64) -> Bool {
            id < Self.firstUserID || manifest.databases.contains { $0.id == id && Self.systemNames.contains($0.name) }
        }
        var present = Set(manifest.databases.map(\.id).filter(isSystem))
        for file in manifest.files where file.name.base == "PG_VERSION" {
            if let folder = file.name.folder, let id = Self.database(folder.path), folder.path.hasBytesAtEnd("/\(id)") {
                present.insert(id)
            }
        }
        guard !present.isEmpty else {
            throw BackupError(.format, "no databases found for selective restore", hint: "is this a valid cluster?")
        }
        func find(_ text: String, _ option: String) throws(BackupError) -> UInt64 {
            let id = manifest.databases.first { sameBytes($0.name, text) }?.id ?? UInt64(text)
            guard let id, present.contains(id) else {
                let names = manifest.databases.filter { present.contains($0.id) }.map(\.name)
                throw BackupError(
                    .dbMissing, "database to \(option) '\(text)' does not exist in backup '\(manifest.label)'",
                    hint: "it has \((names.isEmpty ? present.sorted().map(String.init) : names).joined(separator: ", ")).")
            }
            return id
        }
        var without: Set<UInt64> = []
        for text in excluded { without.insert(try find(text, "exclude")) }
        var with: Set<UInt64> = []
        for text in included {
            let id = try find(text, "include")
            if isSystem(id) {
                throw BackupError(
                    .dbInvalid, "database to include '\(text)' is a system database, which are included by default",
                    hint: "take it out of --db-include.")
            }
            if without.contains(id) {
                throw BackupError(
                    .dbInvalid, "database to include '\(text)' is excluded by --db-exclude", hint: "name it in one of the two only.")
            }
            with.insert(id)
        }
        emptied = included.isEmpty ? without : present.filter { !isSystem($0) && !with.contains($0) }.union(without)
    }

    /// Whether a file becomes a hole. The file that tells the version stays: the server looks at it.
    func isEmptied(_ name: ManifestName) -> Bool {
        guard let folder = name.folder, let id = Self.database(folder.path), emptied.contains(id) else { return false }
        return !(name.base == "PG_VERSION" && folder.path.hasBytesAtEnd("/\(id)"))
    }

    /// The id of the database that a folder belongs to: `pg_data/base/ID/…`, `pg_tblspc/X/PG_…/ID/…`.
    private static func database(_ folder: String) -> UInt64? {
        let parts = folder.pathParts
        if parts.count >= 3, parts[0] == Manifest.dataName, parts[1] == "base" { return UInt64(parts[2]) }
        if parts.count >= 4, parts[0] == Manifest.tablespaceName, parts[2].hasPrefix("PG_") { return UInt64(parts[3]) }
        return nil
    }
}
