import EndToEndSupport
import Foundation
import Testing

/// A log that nobody reads holds up neither archiving nor backups.
@Suite(.servers)
struct UnreadLogTests {
    @Test(arguments: ["pipe", "terminal", "socket"])
    func nobodyReads(_ kind: String) throws {
        let (bench, names) = try Segments.workbench()
        let loud = ["--log-level-console=detail", "--log-level-stderr=info"]
        func launch(_ words: String...) throws -> Running {
            try Running(["python3", "-c", Self.script, kind] + bench.command(loud + words), in: bench.data)
        }
        // Each of them waits a while for its reader: at the same time.
        let runs = [
            (try launch("archive-push", "pg_wal/\(names[0])"), 0),
            (try launch("--type=full", "--no-online", "--progress=always", "backup"), 0),
            (try launch("archive-push", "pg_wal/none"), 55),
            (try launch("--no-such-option", "archive-push", "pg_wal/none"), 31),
        ]
        for (running, status) in runs {
            let outcome = try running.wait(within: 120)
            #expect(outcome.status == Int32(status), "\(outcome)")
        }
        #expect(try bench.labels().count == 1)
        #expect(try bench.archived().contains { $0.hasPrefix(names[0]) })
    }

    /// Standard output and error are full, and held open by a process that never reads.
    private static let script = """
        import os, socket, subprocess, sys
        if sys.argv[1] == "pipe":
            read, write = os.pipe()
        elif sys.argv[1] == "terminal":
            read, write = os.openpty()
        else:
            read, write = (end.detach() for end in socket.socketpair())
        os.set_blocking(write, False)
        try:
            while True: os.write(write, b"x" * 512)
        except BlockingIOError:
            pass
        os.set_blocking(write, True)
        sys.exit(subprocess.call(sys.argv[2:], stdout=write, stderr=write))
        """

    /// Log files that are none: links of others, second names, pipes. The command says so and goes on.
    @Test(
        .enabled(if: Account.isRoot),
        arguments: [
            ("ln -s ../victim log/demo-stanza-create.log; chown -h nobody log/demo-stanza-create.log", false),
            ("chmod 777 log; ln -s ../victim log/demo-stanza-create.log; chown nobody log", false),
            ("ln -s ../victim log/demo-stanza-create.log; chown -h postgres log/demo-stanza-create.log", true),
            ("mkfifo log/demo-stanza-create.log; chmod 666 log/demo-stanza-create.log", false),
        ])
    func noLogFile(_ script: String, _ isWritten: Bool) throws {
        let (bench, _) = try Segments.workbench()
        try run(["sh", "-ec", "touch victim; chmod 666 victim; rm -f log/*; " + script], in: bench.folder.path, asRoot: true)
        let outcome = try bench.attempt("--log-level-file=info", "--no-online", "stanza-create")
        #expect(outcome.status == 0, "\(outcome)")
        let text = try String(contentsOfFile: bench.folder.path("victim"), encoding: .utf8)
        #expect(text.contains("already exists on repo1") == isWritten, "\(text)")
        #expect(outcome.text.contains("unable to open log file") == !isWritten, "\(outcome)")
    }
}
