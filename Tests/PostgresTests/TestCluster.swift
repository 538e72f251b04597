// A real cluster in a temporary folder, running while a suite runs.

import Foundation
import Testing

@testable import BackstopCommands

final class TestCluster: Sendable {
    /// Where the programs of the server are; another version than 15 can be tested with BACKSTOP_PG_BIN.
    static let programs = ProcessInfo.processInfo.environment["BACKSTOP_PG_BIN"] ?? "/usr/lib/postgresql/15/bin"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: programs + "/postgres") }
    @TaskLocal static var current: TestCluster?

    /// The socket and the data are in it.
    let folder: String
    var data: String { folder + "/data" }

    init() throws {
        folder = String(decoding: try Shell.run("mktemp", "-d", "/tmp/backstop-postgres-XXXXXX"), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        if getuid() == 0 { try Shell.run("chown", "postgres", folder) }
        try run("initdb", "-k", "-N", "--wal-segsize=1", "--locale=C", "-U", "postgres", "-D", data)
        let settings = """
            listen_addresses = ''
            unix_socket_directories = '\(folder)'
            fsync = off
            archive_mode = on
            archive_command = 'true'
            wal_level = replica
            """
        try run("sh", "-c", "cat >> \(data)/postgresql.conf <<'END'\n\(settings)\nEND")
        try start()
    }

    func start() throws { try run("pg_ctl", "start", "-w", "-D", data, "-l", folder + "/log") }
    func stop() throws { try run("pg_ctl", "stop", "-w", "-m", "fast", "-D", data) }

    func remove() {
        _ = try? run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", data)
        _ = try? Shell.run("rm", "-rf", folder)
    }

    /// Runs a program of the server as a user that may.
    @discardableResult
    func run(_ program: String, _ arguments: String...) throws -> String {
        let path = FileManager.default.isExecutableFile(atPath: "\(Self.programs)/\(program)") ? "\(Self.programs)/\(program)" : program
        let user = getuid() == 0 ? ["runuser", "-u", "postgres", "--"] : []
        return String(decoding: try Shell.run(user + [path] + arguments), as: UTF8.self)
    }

    func connect(
        port: Int = 5432, database: String = "postgres", user: String = "postgres", version: PostgresVersion? = nil,
        timeout: Duration = .seconds(30)
    ) throws -> Connection {
        try Connection(
            .init(socketPath: folder, port: port, user: user, database: database, version: version, command: "backup", timeout: timeout))
    }
}

/// One cluster for all tests of a suite, removed after the last.
struct WithCluster: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let cluster = try TestCluster()
        defer { cluster.remove() }
        try await TestCluster.$current.withValue(cluster) { try await function() }
    }
}

extension Trait where Self == WithCluster {
    static var cluster: Self { Self() }
}
