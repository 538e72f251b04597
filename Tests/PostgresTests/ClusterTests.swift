import BackstopCore
import Foundation
import Testing

@testable import BackstopCommands

/// Everything that needs a running server, one test after the other.
@Suite(.enabled(if: TestCluster.isInstalled, "PostgreSQL is not installed"), .cluster, .serialized)
struct ClusterTests {
    let cluster = TestCluster.current!

    /// The error that `body` throws.
    private func failure(_ body: () throws -> Void) -> BackupError? {
        do {
            try body()
            return nil
        } catch {
            return error as? BackupError
        }
    }

    @Test func facts() throws {
        let connection = try cluster.connect()
        let facts = try connection.facts()
        let major = try cluster.run("postgres", "--version").split(separator: " ")[2].split(separator: ".")[0]
        #expect(facts.version.description == major)
        #expect(facts.dataDirectory == cluster.data)
        #expect(facts.archiveMode == "on")
        #expect(facts.archiveCommand == "true")
        #expect(!facts.isInRecovery)
        #expect(abs(try connection.now() - unixNow()) <= 2)
        let name = try connection.query("select application_name from pg_stat_activity where pid = pg_backend_pid()")
        #expect(name == [["pgBackstop [backup]"]])
        #expect(try connection.query("show search_path") == [["pg_catalog"]])
    }

    /// The limits are lifted with the first message, before any of them could end the session; what is not known of the version yet, with the
    /// second.
    @Test func settingsOfARole() throws {
        let connection = try cluster.connect()
        let version = connection.version
        try connection.query(
            "create role limited login; alter role limited set statement_timeout = '1h'; alter role limited set lock_timeout = '1h'")
        try connection.query("alter role limited set idle_in_transaction_session_timeout = '1h'")
        if version >= .v14 { try connection.query("alter role limited set idle_session_timeout = '1h'") }
        if version >= .v17 { try connection.query("alter role limited set transaction_timeout = '1h'") }
        for known in [nil, version, .v9_6, .v19] {
            let limited = try cluster.connect(user: "limited", version: known)
            let limits = try limited.query(
                "select name, setting, source from pg_settings where name like '%timeout' and name <> 'wal_sender_timeout' and context = 'user'"
            )
            #expect(limits.count >= 4)
            for limit in limits { #expect(limit[1] == "0", "\(limit)") }
            if known == version {
                for limit in limits where limit[2] != "default" { #expect(limit[2] == "session" || limit[2] == "client") }
            }
            limited.close()
        }
        try connection.query("drop role limited")
    }

    @Test func databasesAndTablespaces() throws {
        let connection = try cluster.connect()
        let folder = cluster.folder + "/space"
        try cluster.run("mkdir", folder)
        try connection.query("create tablespace \"späce \"\"1\" location '\(folder)'")
        try connection.query("create database \"Ünicode\"")
        let databases = try connection.databases()
        #expect(databases.map(\.name) == ["postgres", "template0", "template1", "Ünicode"])
        let template = try #require(databases.first { $0.name == "template0" })
        #expect(databases.allSatisfy { connection.version < .v15 || $0.lastSystemOID == template.oid })
        #expect(databases.allSatisfy { $0.lastSystemOID > 0 })
        let spaces = try connection.tablespaces()
        #expect(spaces.map(\.name) == ["pg_default", "pg_global", "späce \"1"])
        #expect(spaces[0].oid == 1663)
        try connection.query("drop tablespace \"späce \"\"1\"")
        try connection.query("drop database \"Ünicode\"")
    }

    @Test func queries() throws {
        let connection = try cluster.connect()
        #expect(try connection.query("select $1, $2::text, 'x'", ["it's", nil]) == [["it's", nil, "x"]])
        #expect(try connection.query("select 1; select i from generate_series(2, 4) i") == [["2"], ["3"], ["4"]])
        #expect(try connection.query("") == [])
        #expect(try connection.query("set work_mem = '4MB'") == [])
    }

    @Test func statementError() throws {
        let connection = try cluster.connect()
        let error = try #require(failure { try connection.query("select nothing_of_the_kind()") })
        #expect(error.code == .dbQuery)
        #expect(error.message.contains("select nothing_of_the_kind()"))
        #expect(error.message.contains("function nothing_of_the_kind() does not exist"))
        #expect(error.hint?.contains("No function matches") == true)
        #expect(try connection.query("select 1") == [["1"]])

        try connection.query("create role guest login")
        let guest = try cluster.connect(user: "guest")
        let denied = try #require(failure { _ = try guest.startBackup(label: "x", fast: true) })
        #expect(denied.code == .dbQuery)
        #expect(denied.hint?.contains("pg1-user") == true)
        guest.close()
        try connection.query("drop role guest")
    }

    @Test func refusedConnection() throws {
        for body in [
            { _ = try cluster.connect(port: 5433) }, { _ = try cluster.connect(database: "missing") },
            { _ = try cluster.connect(user: "nobody else") },
        ] as [() throws -> Void] {
            let error = try #require(failure(body))
            #expect(error.code == .dbConnect)
            #expect(error.hint?.contains("pg1-socket-path") == true)
            #expect(!error.message.hasSuffix("\n"))
        }
        #expect(failure { _ = try cluster.connect(database: "missing") }?.message.contains("database \"missing\" does not exist") == true)
    }

    @Test func timeout() throws {
        let connection = try cluster.connect(timeout: .milliseconds(300))
        let begin = ContinuousClock.now
        let error = try #require(failure { try connection.query("select pg_sleep(60)") })
        #expect(error.code == .dbQuery)
        #expect(error.hint?.contains("db-timeout") == true)
        #expect(ContinuousClock.now - begin < .seconds(40))
        // The server was told to stop, so the session is ready for the next query.
        #expect(try connection.query("select 1") == [["1"]])
        let running = try connection.query("select count(*) from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'")
        #expect(running == [["0"]])
    }

    /// A server process that does not even react to the wish to cancel costs the session, not more time.
    @Test func serverThatHangs() throws {
        let connection = try cluster.connect(timeout: .milliseconds(300))
        let process = try #require(try connection.query("select pg_backend_pid()")[0][0])
        try cluster.run("kill", "-STOP", process)
        defer { #expect(throws: Never.self) { try cluster.run("kill", "-CONT", process) } }
        let begin = ContinuousClock.now
        #expect(failure { try connection.query("select 1") }?.hint?.contains("db-timeout") == true)
        #expect(ContinuousClock.now - begin < .seconds(40))
        #expect(failure { try connection.query("select 1") }?.message.contains("session was closed") == true)
    }

    @Test func serverThatDoesNotAnswer() throws {
        let silent = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(silent) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = cluster.folder + "/.s.PGSQL.5434"
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(silent, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        try #require(bound == 0 && listen(silent, 1) == 0)
        let error = try #require(failure { _ = try cluster.connect(port: 5434, timeout: .milliseconds(200)) })
        #expect(error.code == .dbConnect)
        #expect(error.message.contains("no answer within"))
    }

    @Test func sessionEndedByTheServer() throws {
        let connection = try cluster.connect()
        let error = try #require(failure { try connection.query("select pg_terminate_backend(pg_backend_pid())") })
        #expect(error.code == .dbQuery)
        let next = try #require(failure { try connection.query("select 1") })
        #expect(next.message.contains("session was closed"))
    }

    @Test func backupStartAndStop() throws {
        let connection = try cluster.connect()
        let folder = cluster.folder + "/space"
        let before = try connection.currentSegment()
        let begun = try connection.startBackup(label: "it's a label", fast: true)
        let start = BackupStart(place: begun.place, segment: try #require(begun.segment))
        #expect(start.segment >= before)
        #expect(start.segment == WALSegment(timeline: 1, of: start.lsn, segmentSize: 1 << 20))
        // The session that holds it is the only one that may stop it.
        let other = try cluster.connect()
        #expect(failure { _ = try other.stopBackup() }?.code == .dbQuery)

        let control = try ControlFile([UInt8](try Data(contentsOf: URL(fileURLWithPath: cluster.data + "/global/pg_control"))))
        #expect(control.checkpoint >= start.lsn)
        #expect(control.timeline == start.segment.timeline)

        let open = try connection.currentSegment()
        try connection.createRestorePoint("pgBackstop Archive Check")
        try connection.switchWAL()
        try connection.createRestorePoint("after")
        #expect(try connection.currentSegment() == open.next(segmentSize: 1 << 20))

        let stop = try connection.stopBackup()
        #expect(stop.lsn > start.lsn)
        #expect(try #require(stop.segment) >= start.segment)
        #expect(stop.label.hasPrefix("START WAL LOCATION: \(start.place) (file \(start.segment))\n"))
        #expect(stop.label.contains("LABEL: it's a label\n"))
        #expect(stop.tablespaceMap == nil)

        try cluster.run("mkdir", "-p", folder)
        try connection.query("create tablespace space location '\(folder)'")
        _ = try connection.startBackup(label: "with a tablespace", fast: true)
        let map = try connection.stopBackup().tablespaceMap
        #expect(map?.hasSuffix(" \(folder)\n") == true)
        try connection.query("drop tablespace space")
    }

    @Test func pagesOfARealCluster() throws {
        let connection = try cluster.connect()
        try connection.query("create table public.pages as select i, repeat('x', 100) from generate_series(1, 20000) i")
        try connection.query("checkpoint")
        let path = try #require(try connection.query("select pg_relation_filepath('public.pages')")[0][0])
        try cluster.stop()
        defer { #expect(throws: Never.self) { try cluster.start() } }

        let control = try ControlFile([UInt8](try Data(contentsOf: URL(fileURLWithPath: cluster.data + "/global/pg_control"))))
        #expect(control.hasPageChecksums)
        #expect(control.segmentSize == 1 << 20)
        let check = PageCheck(pageSize: Int(control.pageSize))
        var checked = 0
        for file in FileManager.default.enumerator(atPath: cluster.data)!.compactMap({ $0 as? String })
        where DatabasePath.hasPages("pg_data/\(file)") && !file.hasSuffix("pg_internal.init") {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(cluster.data)/\(file)")))
            check.next(segment: DatabasePath.segment(of: file))
            feed(check, bytes, by: 10_000)
            #expect(check.isValid, "\(file): \(check.errors)")
            checked += bytes.count / 8192
        }
        #expect(checked > 2000)

        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(cluster.data)/\(path)")))
        for page in [7, 8, 100] { bytes[page * 8192 + 5000] ^= 0x10 }
        feed(check, bytes)
        #expect(check.errors == [7...8, 100...100])
    }
}
