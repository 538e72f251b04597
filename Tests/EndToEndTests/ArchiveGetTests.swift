import EndToEndSupport
import Foundation
import Testing

/// How archive-get ends, which decides whether a recovery goes on.
@Suite(.servers)
struct ArchiveGetTests {
    /// PostgreSQL takes 1 to 125 for the end of the archive, so only a file that is known to be missing may end so.
    @Test func everyFailureStopsTheRecovery() throws {
        let (bench, names) = try Segments.workbench()
        #expect(try bench.push(names[0]).status == 0)
        let broken = try bench.folder.write("broken.conf", "[global\nrepo1-path\n")
        let got = bench.folder.path("got")
        func get(_ options: String..., name: String = names[0], in folder: String? = nil) throws -> Int32 {
            try bench.attempt(options + ["archive-get", name, got], in: folder ?? bench.data).status
        }
        let elsewhere = bench.folder.path("nothing")
        let failures = [
            "--repo1-path=\(elsewhere)", "--config=\(broken)", "--config=\(elsewhere)", "--no-such-option", "--archive-timeout=x",
            "--pg1-path=\(elsewhere)", "--repo=7", "--repo1-type=unknown",
        ]
        for option in failures {
            let configuration = option.hasPrefix("--config") ? [option] : ["--config=\(bench.configuration)", option]
            let command = [bench.tool.path] + configuration + ["--stanza=demo", "archive-get", names[0], got]
            let stopped = try attempt(command, in: bench.data)
            #expect(stopped.status == 200 && stopped.text.contains("ERROR: ["), "\(stopped)")
            // A standby has other sources and asks again. It gets the number of the error.
            try run(["touch", "\(bench.data)/standby.signal"])
            let standby = try attempt(command, in: bench.data)
            #expect(standby.status > 1 && standby.status < 126, "\(standby)")
            #expect(standby.text.contains("ERROR: [\(standby.status < 100 ? "0" : "")\(standby.status)]"), "\(standby)")
            try run(["rm", "\(bench.data)/standby.signal"])
        }
        #expect(try get("--repo1-path=\(elsewhere)", "--archive-get-failure=continue") == 103)
        try run(["sh", "-c", "echo \"standby_mode = 'on'\" >\"$0\"", "\(bench.data)/recovery.conf"])
        #expect(try get("--repo1-path=\(elsewhere)") == 103)
        try run(["rm", "\(bench.data)/recovery.conf"])
        // A word too many, one too few.
        #expect(try bench.attempt("archive-get", names[0], in: bench.data).status == 200)
        #expect(try bench.attempt("archive-get", names[0], got, "more", in: bench.data).status == 200)
        // What is known.
        #expect(try get() == 0)
        #expect(try get(name: names[2]) == 1)
        #expect(try get(name: "00000007.history") == 1)
        #expect(try get(in: bench.folder.path) == 0)
    }

    /// While one repository does not answer nobody knows that a file is missing; what the other one has is had.
    @Test func oneRepositoryIsSilent() throws {
        let (bench, names) = try Segments.workbench(on: .posix, and: .posix)
        #expect(try bench.push(names[0]).status == 0)
        for repository in [1, 2] {
            let away = "--repo\(repository)-path=\(bench.folder.path("nothing"))"
            #expect(try bench.attempt(away, "archive-get", names[0], bench.folder.path("got"), in: bench.data).status == 0)
            for name in [names[2], "00000002.history"] {
                let unknown = try bench.attempt(away, "archive-get", name, bench.folder.path("got"), in: bench.data)
                #expect(unknown.status == 200 && unknown.text.contains("repo\(repository)"), "\(unknown)")
                let other = "--repo=\(3 - repository)"
                #expect(try bench.attempt(away, other, "archive-get", name, bench.folder.path("got"), in: bench.data).status == 1)
            }
        }
    }

    /// The end by a signal is none of the archive either.
    @Test(arguments: [15, 2] as [Int32])
    func signals(_ signal: Int32) throws {
        let (bench, names) = try Segments.workbench()
        // A store that lets everybody wait.
        let port = try FreePorts.take(1)[0]
        let marker = bench.folder.path("asked")
        let program = """
            import socket, sys, time
            server = socket.create_server(("127.0.0.1", \(port)))
            kept = server.accept()
            open("\(marker)", "w").close()
            time.sleep(600)
            """
        let store = try Running(["python3", "-c", program], asRoot: true)
        defer { store.signal(SIGKILL) }
        let options = [
            "repo1-type": "s3", "repo1-s3-bucket": "b", "repo1-s3-region": "r", "repo1-s3-key": "k", "repo1-s3-key-secret": "s",
            "repo1-s3-uri-style": "path", "repo1-s3-endpoint": "http://127.0.0.1:\(port)",
        ]
        try bench.configure(options.map { ($0.key, $0.value) })
        let running = try Running(bench.command(["archive-get", names[0], bench.folder.path("got")]), in: bench.data)
        try eventually("the store is asked") {
            if let outcome = running.poll() { throw Failure("\(outcome)") }
            return FileManager.default.fileExists(atPath: marker) ? true : nil
        }
        kill(running.process, signal)
        let outcome = try running.wait()
        #expect(outcome.status == 128 + signal && outcome.text.contains("[063]"), "\(outcome)")
    }

    /// A relative path belongs to the server that called, which may not be the one of the configuration.
    @Test func writesWhereItWasTold() throws {
        let (bench, names) = try Segments.workbench()
        #expect(try bench.push(names[0]).status == 0)
        let other = bench.folder.path("other")
        try run(["mkdir", "-p", "\(other)/global", "\(other)/pg_wal"])
        try run(["cp", "\(bench.data)/global/pg_control", "\(other)/global/pg_control"])
        for folder in [other, bench.folder.path] {
            let outcome = try bench.attempt("archive-get", names[0], "pg_wal/RECOVERYXLOG", in: folder)
            #expect(outcome.status == 200 && outcome.text.contains("[032]") && outcome.text.contains(folder), "\(outcome)")
        }
        #expect(try attempt(["test", "-e", "\(bench.data)/pg_wal/RECOVERYXLOG"]).status == 1)
        #expect(try bench.attempt("archive-get", names[0], "pg_wal/RECOVERYXLOG", in: bench.data).status == 0)
        #expect(try bench.isSame(names[0], as: "\(bench.data)/pg_wal/RECOVERYXLOG"))
        // By hand, from anywhere.
        #expect(try bench.attempt("archive-get", names[0], "\(other)/pg_wal/RECOVERYXLOG", in: "/").status == 0)
        #expect(try bench.isSame(names[0], as: "\(other)/pg_wal/RECOVERYXLOG"))
    }

    /// PostgreSQL asks again after a crash: nothing is synced for it, on whatever file system.
    @Test func nothingIsSynced() throws {
        let (bench, names) = try Segments.workbench()
        #expect(try bench.push(names[0]).status == 0)
        let trace = bench.folder.path("trace")
        let outcome = try attempt(
            ["strace", "-f", "-e", "trace=fsync,fdatasync,syncfs,sync_file_range,statfs,fstatfs", "-o", trace]
                + bench.command(["archive-get", names[0], "pg_wal/RECOVERYXLOG"]), in: bench.data)
        #expect(outcome.status == 0, "\(outcome)")
        // Nor is it asked what the file system can be trusted with.
        let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").filter {
            $0.contains("sync") || $0.contains("statfs")
        }
        #expect(calls.isEmpty, "\(calls)")
    }
}
