// Real PostgreSQL servers: small, quick to make, reachable through a socket in a temporary folder only.

import Foundation

/// One version of PostgreSQL on this machine.
public struct PostgresInstallation: Sendable, CustomStringConvertible {
    public let version: Int
    public let programs: String
    public var description: String { "PostgreSQL \(version)" }

    public static let supported = [14, 15, 16, 17, 18]

    public static func version(_ version: Int) throws -> PostgresInstallation {
        try installed.withLock { cache in
            if let known = cache[version] { return known }
            let line = try run(
                [Checkout.path("scripts/get-postgres"), "\(version)"], environment: inherited, within: 300, asRoot: true
            ).output
            let installation = PostgresInstallation(version: version, programs: line.trimmingCharacters(in: .whitespacesAndNewlines))
            cache[version] = installation
            return installation
        }
    }
    private static let installed = Guarded<[Int: PostgresInstallation]>([:])
    /// Downloads need what the machine says about proxies and certificates.
    private static var inherited: [String: String] { ProcessInfo.processInfo.environment }

    public func program(_ name: String) -> String { "\(programs)/\(name)" }

    /// A data folder that initdb made; clusters are copies of it, which takes a tenth of the time. They share its system identifier.
    func template() throws -> String {
        try PostgresInstallation.templates.withLock { cache in
            if let known = cache[version] { return known.path("data") }
            let folder = try TemporaryFolder()
            try initialize(folder.path("data"))
            cache[version] = folder
            return folder.path("data")
        }
    }
    private static let templates = Guarded<[Int: TemporaryFolder]>([:])

    func initialize(_ data: String) throws {
        try run([
            program("initdb"), "-D", data, "-k", "-N", "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8", "--wal-segsize=1",
        ])
    }
}

/// A value that one thread at a time may touch.
final class Guarded<Value>: @unchecked Sendable { // `lock` guards `value`
    private let lock = NSLock()
    private var value: Value
    init(_ value: Value) { self.value = value }
    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result { try lock.withLock { try body(&value) } }
}

/// A data folder and the server on it. The folder's name must be unique in its temporary folder; the server ends with the folder.
public final class Cluster {
    public let installation: PostgresInstallation
    public let folder: TemporaryFolder
    public let data: String
    private let sockets: String
    private var settings: [String] = []

    /// A data folder that is there, or will be: a restored one, say.
    public init(_ installation: PostgresInstallation, in folder: TemporaryFolder, name: String) throws {
        self.installation = installation
        self.folder = folder
        data = folder.path(name)
        sockets = try folder.makeDirectory("s-\(name)")
    }

    /// A new cluster. `fresh` gives it a system identifier of its own.
    public static func make(
        _ installation: PostgresInstallation, in folder: TemporaryFolder, name: String, fresh: Bool = false
    ) throws -> Cluster {
        let cluster = try Cluster(installation, in: folder, name: name)
        if fresh {
            try installation.initialize(cluster.data)
        } else {
            try run(["cp", "-a", try installation.template(), cluster.data])
        }
        try cluster.configure([
            "wal_level": "replica", "max_wal_senders": "3", "shared_buffers": "'16MB'", "fsync": "off", "autovacuum": "off",
            "log_min_messages": "info", "track_commit_timestamp": "on", "full_page_writes": "on", "timezone": "'UTC'",
            "log_timezone": "'UTC'",
            "max_wal_size": "'64MB'", "min_wal_size": "'4MB'", "hot_standby": "on",
        ])
        return cluster
    }

    /// Adds settings to postgresql.conf.
    public func configure(_ settings: KeyValuePairs<String, String>) throws {
        let text = settings.map { "\($0.key) = \($0.value)\n" }.joined()
        try run(["sh", "-c", "printf %s \"$1\" >>\"$2\"", "sh", text, "\(data)/postgresql.conf"])
    }

    /// Starts the server and waits until it answers. Settings given here win over the folder's; they are for a restored cluster that
    /// must not archive, for example.
    public func start(_ settings: [String] = [], within seconds: Double = 30) throws {
        let outcome = try tryToStart(settings, within: seconds)
        guard outcome.status == 0 else { throw Failure("\(outcome)\n\(log)") }
    }

    public func tryToStart(_ settings: [String] = [], within seconds: Double = 30) throws -> Outcome {
        let options = (["unix_socket_directories=\(sockets)", "port=5432", "listen_addresses="] + settings).map { "-c \($0)" }.joined(
            separator: " ")
        return try attempt(
            [
                installation.program("pg_ctl"), "-D", data, "-l", "\(data).log", "-w", "-t", "\(Int(seconds))", "-o", options, "start",
            ], in: folder.path, within: seconds + 10)
    }

    public func stop(_ mode: String = "fast") throws {
        try run([installation.program("pg_ctl"), "-D", data, "-m", mode, "-w", "stop"], in: folder.path)
    }

    public var isRunning: Bool { FileManager.default.fileExists(atPath: "\(data)/postmaster.pid") }

    /// The server's own log.
    public var log: String { (try? String(contentsOfFile: "\(data).log", encoding: .utf8)) ?? "" }

    /// The folder of the server's socket.
    public var socket: String { sockets }

    /// What the statements answer, one row a line, columns separated by '|'.
    @discardableResult
    public func query(_ sql: String) throws -> String {
        try run(
            [installation.program("psql"), "-qXAt", "-v", "ON_ERROR_STOP=1", "-h", sockets, "-U", "postgres", "-d", "postgres", "-c", sql]
        ).output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Waits until a query answers as expected.
    public func wait(until sql: String, is expected: String = "t", within seconds: Double = 30) throws {
        var last = ""
        do {
            try eventually("\(sql) is \(expected)", within: seconds) {
                last = (try? query(sql)) ?? last
                return last == expected ? true : nil
            }
        } catch { throw Failure("\(error), but \(last)\n\(log.suffix(3000))") }
    }

    /// Waits until recovery has ended, by itself or by promotion.
    public func waitForPromotion() throws { try wait(until: "SELECT NOT pg_is_in_recovery()") }

    public func promote() throws {
        try run([installation.program("pg_ctl"), "-D", data, "-w", "promote"], in: folder.path)
        try waitForPromotion()
    }

    /// Ends the current WAL segment and waits until the server has archived it. Returns its name.
    @discardableResult
    public func archiveCurrentSegment() throws -> String {
        let name = try query("SELECT pg_walfile_name(pg_switch_wal())")
        // Not by the last one that was archived: the history file of a backup may come after a later segment.
        try wait(until: "SELECT NOT EXISTS (SELECT FROM pg_ls_archive_statusdir() WHERE name = '\(name).ready')", within: 60)
        return name
    }

    /// Looks at every table and index of the database, as PostgreSQL's own pg_amcheck does. Makes an extension.
    public func check() throws {
        let outcome = try attempt(
            [
                installation.program("pg_amcheck"), "-h", sockets, "-U", "postgres", "-d", "postgres", "--install-missing",
                "--heapallindexed",
                "--parent-check",
            ], in: folder.path, within: 120)
        guard outcome.status == 0, outcome.text.isEmpty else { throw Failure("\(outcome)") }
    }

    /// Count and content of every ordinary table, so that two clusters can be compared.
    public func fingerprint() throws -> String {
        let tables = try query("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        guard !tables.isEmpty else { return "" }
        return try query(
            tables.split(separator: "\n").map {
                "SELECT '\($0)', count(*), coalesce(md5(string_agg(t::text, ',' ORDER BY t::text COLLATE \"C\")), '-') FROM \($0) t"
            }.joined(separator: " UNION ALL ") + " ORDER BY 1")
    }
}
