// The clusters that a stanza has belonged to, oldest first, and which of them is the current one.

import BackstopCore

struct DatabaseHistory: Sendable, Equatable {
    struct Database: Sendable, Equatable {
        /// History id, 1 for the first.
        var id: Int
        var identity: ClusterIdentity
        /// Only in backup.info.
        var catalogVersion: UInt64?
        var controlVersion: UInt64?

        var systemID: UInt64 { identity.systemID }
        var version: PostgresVersion { identity.version }
        var archiveID: String { Layout.archiveID(version, id: id) }
    }

    /// In the order of their ids.
    private(set) var databases: [Database] = []
    private(set) var currentID = 0

    var current: Database { databases.first { $0.id == currentID }! }

    init(_ first: Database) {
        databases = [first]
        currentID = first.id
    }

    /// Appends a cluster and makes it the current one.
    mutating func append(_ database: Database) {
        databases.append(database)
        currentID = database.id
    }

    func database(_ id: Int) -> Database? { databases.first { $0.id == id } }

    // MARK: The sections [db] and [db:history]

    /// Collects the entries of the two sections while a file is read.
    struct Reader {
        private var databases: [Database] = []
        private var currentID: Int?
        /// In archive.info the objects call the system id `db-id` (section 2.5).
        let systemKey: String

        init(systemKey: String) { self.systemKey = systemKey }

        mutating func add(_ section: String, _ key: String, _ value: JSON) throws(BackupError) {
            switch section {
            case "db": if key == "db-id" { currentID = value.int.map(Int.init) }
            case "db:history":
                guard let id = Int(key), id > 0, let systemID = value[systemKey]?.uint,
                    let version = value["db-version"]?.string.flatMap(PostgresVersion.init(written:))
                else {
                    throw BackupError(.format, "entry '\(key)' of [db:history] is not valid")
                }
                databases.append(
                    Database(
                        id: id, identity: ClusterIdentity(systemID: systemID, version: version),
                        catalogVersion: value["db-catalog-version"]?.uint,
                        controlVersion: value["db-control-version"]?.uint))
            default: break
            }
        }

        func finish() throws(BackupError) -> DatabaseHistory {
            guard let currentID, databases.contains(where: { $0.id == currentID }) else {
                throw BackupError(.format, "[db] names no entry of [db:history]")
            }
            var history = DatabaseHistory(databases[0])
            history.databases = databases.sorted { $0.id < $1.id }
            history.currentID = currentID
            return history
        }
    }

    func write(to writer: inout InfoFileWriter, systemKey: String) {
        let current = current
        if let catalog = current.catalogVersion { writer.add("db", "db-catalog-version", JSON(catalog)) }
        if let control = current.controlVersion { writer.add("db", "db-control-version", JSON(control)) }
        writer.add("db", "db-id", JSON(current.id))
        writer.add("db", "db-system-id", JSON(current.systemID))
        writer.add("db", "db-version", .string(current.version.description))
        for database in databases {
            var object: [String: JSON] = [systemKey: JSON(database.systemID), "db-version": .string(database.version.description)]
            if let catalog = database.catalogVersion { object["db-catalog-version"] = JSON(catalog) }
            if let control = database.controlVersion { object["db-control-version"] = JSON(control) }
            writer.add("db:history", String(database.id), .object(object))
        }
    }
}
