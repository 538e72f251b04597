// What of a cluster is left out of a backup (repository-format.md section 3.6).

import BackstopCore

/// Pure rules over names; `ClusterWalk` applies them.
struct ExcludedFiles: Sendable {
    let version: PostgresVersion
    let online: Bool
    /// As given with `--exclude`: relative to PGDATA; with a trailing `/` only the content.
    let excludes: [String]

    enum Verdict { case include, skip, folderOnly }

    /// Folders at the top of PGDATA whose content a server makes anew.
    private static let rebuilt: Set = [
        "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans",
    ]

    private static let neverAtTop: Set = [
        "postgresql.auto.conf.tmp", "backup_label", "backup_label.old", "postmaster.opts", "postmaster.pid",
    ]

    /// `path` is relative to PGDATA, tablespaces as `pg_tblspc/…`.
    func folder(_ path: String) -> Verdict {
        if let verdict = excluded(path) { return verdict }
        if Self.rebuilt.contains(path) { return .folderOnly }
        if online && path == "\(version.walFolder)/archive_status" { return .folderOnly }
        return .include
    }

    /// `manifestFolder` is the folder's name in the manifest; `siblings` are the names in it.
    func file(_ path: String, name: String, manifestFolder: String, siblings: Set<String>) -> Verdict {
        if let verdict = excluded(path), verdict == .skip { return .skip }
        if manifestFolder == Manifest.dataName, isSkippedAtTop(name) { return .skip }
        if online && manifestFolder == "\(Manifest.dataName)/\(version.walFolder)" { return .skip }
        if DatabasePath.isFolder(manifestFolder), isSkippedInDatabase(name, siblings) { return .skip }
        return .include
    }

    /// Temporary files of queries, anywhere.
    func isTemporary(_ name: String) -> Bool { name.hasBytes("pgsql_tmp") }

    private func excluded(_ path: String) -> Verdict? {
        for exclude in excludes {
            if exclude.hasBytesAtEnd("/") {
                if sameBytes(exclude.dropLast(), path) { return .folderOnly }
            } else if sameBytes(exclude, path) {
                return .skip
            }
        }
        return nil
    }

    private func isSkippedAtTop(_ name: String) -> Bool {
        if Self.neverAtTop.contains(name) { return true }
        switch name {
        case "recovery.signal", "standby.signal": return version >= .v12
        case "recovery.conf", "recovery.done": return version < .v12
        case "backup_manifest", "backup_manifest.tmp": return version >= .v13
        default: return false
        }
    }

    private func isSkippedInDatabase(_ name: String, _ siblings: Set<String>) -> Bool {
        if name == "pg_internal.init" { return true }
        if name.hasBytes("pg_internal.init."), let digit = name.utf8.dropFirst(17).first, isDigit(digit) { return true }
        if isTemporaryRelation(name) { return true }
        if let number = relationNumber(name), siblings.contains("\(number)_init") { return true }
        return false
    }

    /// `t<digits>_<digits>` with the endings of a relation.
    private func isTemporaryRelation(_ name: String) -> Bool {
        guard name.hasBytes("t"), let underscore = name.firstIndex(of: "_") else { return false }
        let backend = name[name.index(after: name.startIndex)..<underscore]
        return !backend.isEmpty && backend.utf8.allSatisfy(isDigit) && relationNumber(name[name.index(after: underscore)...]) != nil
    }

    /// The number of a relation's file: `16384`, `16384.1`, `16384_fsm`, `16384_vm.2`; nil for other names and for the init fork.
    private func relationNumber(_ name: some StringProtocol) -> String? {
        let number = name.utf8.prefix(while: isDigit)
        if number.isEmpty { return nil }
        var rest = String(name).utf8.dropFirst(number.count)
        for fork in ["_fsm", "_vm"] where rest.starts(with: fork.utf8) {
            rest = rest.dropFirst(fork.utf8.count)
            break
        }
        if let dot = rest.first {
            guard dot == UInt8(ascii: "."), rest.count > 1, rest.dropFirst().allSatisfy(isDigit) else { return nil }
        }
        return String(decoding: number, as: UTF8.self)
    }
}

private func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
