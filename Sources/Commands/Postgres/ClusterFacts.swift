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
        let row = try one(
            """
            select pg_catalog.current_setting('data_directory'), pg_catalog.current_setting('archive_mode'), \
            pg_catalog.current_setting('archive_command'), pg_catalog.pg_is_in_recovery()
            """, columns: 4)
        return ClusterFacts(
            version: version, dataDirectory: row[0], archiveMode: row[1], archiveCommand: row[2], isInRecovery: row[3] == "t")
    }

    /// The server's clock, Unix seconds.
    func now() throws(BackupError) -> Int64 {
        try number("select pg_catalog.trunc(extract(epoch from pg_catalog.clock_timestamp()))::pg_catalog.int8")
    }

    /// All databases, templates too, by their name in byte order.
    func databases() throws(BackupError) -> [Database] {
        let last =
            version >= .v15
            ? "coalesce((select oid from pg_catalog.pg_database where datname = 'template0'), 0)" : "datlastsysoid"
        var databases: [Database] = []
        for row in try query("select oid, datname, \(last) from pg_catalog.pg_database order by datname collate \"C\"") {
            databases.append(Database(oid: try oid(row[0]), name: row[1] ?? "", lastSystemOID: try oid(row[2])))
        }
        return databases
    }

    /// All tablespaces, pg_default and pg_global too, by their oid.
    func tablespaces() throws(BackupError) -> [Tablespace] {
        var tablespaces: [Tablespace] = []
        for row in try query("select oid, spcname from pg_catalog.pg_tablespace order by oid") {
            tablespaces.append(Tablespace(oid: try oid(row[0]), name: row[1] ?? ""))
        }
        return tablespaces
    }

    /// The first row, whose `columns` must not be null.
    func one(_ sql: String, _ parameters: [String?] = [], columns: Int = 1) throws(BackupError) -> [String] {
        let rows = try query(sql, parameters)
        let row = rows.first?.compactMap(\.self) ?? []
        guard row.count == columns else { throw BackupError(.dbQuery, "query '\(sql)' gave \(rows), expected a row of \(columns) values") }
        return row
    }

    private func number(_ sql: String) throws(BackupError) -> Int64 {
        let text = try one(sql)[0]
        guard let number = Int64(text) else { throw BackupError(.dbQuery, "query '\(sql)' gave '\(text)', expected a number") }
        return number
    }

    private func oid(_ text: String?) throws(BackupError) -> UInt32 {
        guard let oid = text.flatMap({ UInt32($0) }) else { throw BackupError(.dbQuery, "the server gave '\(text ?? "null")' for an oid") }
        return oid
    }
}
