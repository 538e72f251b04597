// What a running server tells about its cluster.

import BackstopCore

/// The settings that a backup depends on.
struct ClusterFacts: Sendable, Equatable {
    let version: PostgresVersion
    let dataDirectory: String
    /// `off`, `on` or `always`.
    let archiveMode: String
    let archiveCommand: String
    /// The server is a standby, or still recovers.
    let isInRecovery: Bool
}

struct Database: Sendable, Equatable {
    let oid: UInt32
    let name: String
    /// The largest object id that initdb gave. From version 15 on only that of template0 is known, for all databases.
    let lastSystemOID: UInt32
}

struct Tablespace: Sendable, Equatable {
    let oid: UInt32
    let name: String
}

extension DatabaseSession {
    func facts() throws(BackupError) -> ClusterFacts {
        let row = try one(.facts, columns: 4)
        return ClusterFacts(
            version: version, dataDirectory: row[0], archiveMode: row[1], archiveCommand: row[2], isInRecovery: row[3] == "t")
    }

    /// The server's clock, Unix seconds.
    func now() throws(BackupError) -> Int64 {
        let text = try one(.now)[0]
        guard let number = Int64(text) else { throw BackupError(.dbQuery, "the server gave '\(text)' for the time") }
        return number
    }

    /// All databases, templates too, by their name in byte order.
    func databases() throws(BackupError) -> [Database] {
        var databases: [Database] = []
        for row in try query(.databases) where row.count == 3 {
            databases.append(Database(oid: try oid(row[0]), name: row[1] ?? "", lastSystemOID: try oid(row[2])))
        }
        return databases
    }

    /// All tablespaces, pg_default and pg_global too, by their oid.
    func tablespaces() throws(BackupError) -> [Tablespace] {
        var tablespaces: [Tablespace] = []
        for row in try query(.tablespaces) where row.count == 2 {
            tablespaces.append(Tablespace(oid: try oid(row[0]), name: row[1] ?? ""))
        }
        return tablespaces
    }

    private func oid(_ text: String?) throws(BackupError) -> UInt32 {
        guard let oid = text.flatMap({ UInt32($0) }) else { throw BackupError(.dbQuery, "the server gave '\(text ?? "null")' for an oid") }
        return oid
    }
}
