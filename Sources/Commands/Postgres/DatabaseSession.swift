// A session with the server of a cluster, from this host or from the cluster's.

import BackstopCore

/// One query at a time. A backup must be started and stopped in the same session.
protocol DatabaseSession: AnyObject {
    var version: PostgresVersion { get }

    /// What a session is seen to have ended by, from any thread and without asking the server.
    var watch: SessionWatch { get }

    /// Returns the rows, columns as text. Throws `.dbQuery` with the server's message.
    @discardableResult
    func query(_ query: DatabaseQuery, _ parameters: [String]) throws(BackupError) -> [[String?]]
}

extension DatabaseSession {
    @discardableResult
    func query(_ query: DatabaseQuery) throws(BackupError) -> [[String?]] { try self.query(query, []) }

    /// The first row, whose `columns` must not be null.
    func one(_ query: DatabaseQuery, _ parameters: [String] = [], columns: Int = 1) throws(BackupError) -> [String] {
        let rows = try self.query(query, parameters)
        let row = rows.first?.compactMap(\.self) ?? []
        guard row.count == columns else {
            throw BackupError(.dbQuery, "query '\(query.rawValue)' gave \(rows), expected a row of \(columns) values")
        }
        return row
    }
}

/// All that is ever asked of a server. The host of a cluster answers these for another host and no others: who may back up a cluster
/// cannot do with its database what he likes.
enum DatabaseQuery: String, CaseIterable {
    case facts, now, timestamp, databases, tablespaces, currentSegment, switchWAL, archiver, checkpoint
    /// Of a standby.
    case replayed, recoveryTimeline
    /// Parameters: the label; `t` for a checkpoint at once.
    case startBackup
    case stopBackup
    /// Parameter: its name.
    case restorePoint

    var parameterCount: Int {
        switch self {
        case .startBackup: 2
        case .restorePoint: 1
        default: 0
        }
    }

    func sql(_ version: PostgresVersion) -> String {
        switch self {
        case .facts:
            return """
                select pg_catalog.current_setting('data_directory'), pg_catalog.current_setting('archive_mode'), \
                pg_catalog.current_setting('archive_command'), pg_catalog.pg_is_in_recovery()
                """
        case .now: return "select pg_catalog.trunc(extract(epoch from pg_catalog.clock_timestamp()))::pg_catalog.int8"
        case .timestamp: return "select pg_catalog.clock_timestamp()::text"
        case .databases:
            let last =
                version >= .v15 ? "coalesce((select oid from pg_catalog.pg_database where datname = 'template0'), 0)" : "datlastsysoid"
            return "select oid, datname, \(last) from pg_catalog.pg_database order by datname collate \"C\""
        case .tablespaces: return "select oid, spcname from pg_catalog.pg_tablespace order by oid"
        case .currentSegment:
            let place = "pg_catalog.pg_current_\(version.walWord)_insert_\(version.lsnWord)()"
            return "select pg_catalog.pg_\(version.walWord)file_name(\(place))"
        case .switchWAL: return "select pg_catalog.pg_switch_\(version.walWord)()"
        case .archiver:
            func seconds(_ name: String) -> String { "pg_catalog.trunc(extract(epoch from \(name)))::pg_catalog.int8" }
            return """
                select last_archived_wal, \(seconds("last_archived_time")), last_failed_wal, \(seconds("last_failed_time")), failed_count, \
                failed_count > 0 and last_failed_time > coalesce(last_archived_time, '-infinity'), \
                coalesce(pg_catalog.current_setting('archive_library', true), '') from pg_catalog.pg_stat_archiver
                """
        case .startBackup:
            let function = version >= .v15 ? "pg_backup_start($1, $2)" : "pg_start_backup($1, $2, false)"
            return "select lsn, \(Self.fileName(version)) from pg_catalog.\(function) as lsn"
        case .stopBackup:
            let function =
                version >= .v15 ? "pg_backup_stop(false)" : version >= .v10 ? "pg_stop_backup(false, false)" : "pg_stop_backup(false)"
            return
                "select lsn, \(Self.fileName(version)), labelfile, coalesce(spcmapfile, '') from pg_catalog.\(function)"
        case .checkpoint: return "checkpoint"
        case .replayed: return "select pg_catalog.pg_last_\(version.walWord)_replay_\(version.lsnWord)()"
        case .recoveryTimeline: return "select min_recovery_end_timeline from pg_catalog.pg_control_recovery()"
        case .restorePoint: return "select pg_catalog.pg_create_restore_point($1)"
        }
    }

    /// The name of the segment that `lsn` is in, which a standby does not tell.
    private static func fileName(_ version: PostgresVersion) -> String {
        "case when pg_catalog.pg_is_in_recovery() then '' else pg_catalog.pg_\(version.walWord)file_name(lsn) end"
    }
}

extension Connection: DatabaseSession {
    func query(_ query: DatabaseQuery, _ parameters: [String]) throws(BackupError) -> [[String?]] {
        try self.query(query.sql(version), parameters.map(\.self))
    }
}

/// A session of the cluster's host, through the libpq that is there.
final class FarDatabase: DatabaseSession {
    private let session: any FarSession
    /// More databases or tablespaces than any cluster has.
    private static let mostRows = 1_000_000
    let version: PostgresVersion
    var watch: SessionWatch { SessionWatch(descriptor: session.descriptor) }

    init(_ host: any FarHost) throws(BackupError) {
        session = try host.session()
        let reply: JSON
        do throws(BackupError) {
            reply = try session.ask(.connect, [:]) { _ in }
        } catch {
            throw error.during("on host '\(host.name)'")
        }
        version = try PostgresVersion(serverNumber: Int(reply["version"]?.int ?? 0))
    }

    func query(_ query: DatabaseQuery, _ parameters: [String]) throws(BackupError) -> [[String?]] {
        var rows: [[String?]] = []
        let members: [String: JSON] = ["query": .string(query.rawValue), "parameters": .array(parameters.map { .string($0) })]
        _ = try session.ask(.query, members) { (entry) throws(BackupError) in
            guard let row = entry["row"]?.array, rows.count < Self.mostRows else {
                throw BackupError(.protocol, "the host of the cluster sends what is no row, or no end of rows")
            }
            rows.append(row.map(\.string))
        }
        return rows
    }
}
