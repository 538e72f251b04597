// A session with the server of a cluster, from this host or from the cluster's.

import BackstopCore

/// One query at a time. A backup must be started and stopped in the same session.
protocol DatabaseSession: AnyObject {
    var version: PostgresVersion { get }

    /// Runs one statement with `parameters` for `$1`, `$2`…, or several statements without parameters.
    /// Returns the rows of the last one, columns as text. Throws `.dbQuery` with the server's message.
    @discardableResult
    func query(_ sql: String, _ parameters: [String?]) throws(BackupError) -> [[String?]]
}

extension DatabaseSession {
    @discardableResult
    func query(_ sql: String) throws(BackupError) -> [[String?]] { try query(sql, []) }
}

/// A session of the cluster's host, through the libpq that is there.
final class FarDatabase: DatabaseSession {
    private let session: any FarSession
    let version: PostgresVersion

    init(_ host: any FarHost) throws(BackupError) {
        session = try host.session()
        let reply = try session.ask("connect", [:]) { _ in }
        version = try PostgresVersion(serverNumber: Int(reply["version"]?.int ?? 0))
    }

    @discardableResult
    func query(_ sql: String, _ parameters: [String?]) throws(BackupError) -> [[String?]] {
        var rows: [[String?]] = []
        let members: [String: JSON] = ["sql": .string(sql), "parameters": .array(parameters.map { JSON($0) })]
        _ = try session.ask("query", members) { (entry) throws(BackupError) in
            guard let row = entry["row"]?.array else { throw BackupError(.protocol, "the host of the cluster sends what is no row") }
            rows.append(row.map(\.string))
        }
        return rows
    }
}
