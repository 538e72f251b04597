import EndToEndSupport
import Foundation
import Testing

/// What is pushed is the segment of its name, what is stored stays, and pushing again is success.
@Suite(.servers)
struct ArchivePushTests {
    /// A server was killed while it pushed; the restarted one pushed the segment again and used its file for another. The first push, which
    /// was only slow, then finds the file gone.
    @Test func stragglerRemovesNothing() throws {
        let (bench, names) = try Segments.workbench()
        let trace = bench.folder.path("trace")
        // Stopped when it has put the segment in its place.
        let straggler = try Running(
            ["strace", "-f", "-o", trace, "-e", "trace=rename,link", "-e", "inject=rename,link:signal=SIGSTOP:when=1"]
                + bench.command(["archive-push", "pg_wal/\(names[0])"]), in: bench.data)
        try eventually("the straggler stands still") {
            if let outcome = straggler.poll() { throw Failure("\(outcome)") }
            return (try? String(contentsOfFile: trace, encoding: .utf8))?.contains("stopped by SIGSTOP") == true ? true : nil
        }
        #expect(try bench.push(names[0]).status == 0)
        try run(["cp", "pg_wal/\(names[0])", bench.folder.path("kept")], in: bench.data)
        try run(["mv", "pg_wal/\(names[0])", "pg_wal/0000000100000000000000F0"], in: bench.data)
        straggler.signal(SIGCONT)
        _ = try straggler.wait()
        let got = try #require(try bench.get(names[0]))
        #expect(try attempt(["cmp", bench.folder.path("kept"), got]).status == 0)
    }

    /// A file in pg_wal, made from segments by these commands, and what is said of it. `$1`, `$2`: two segments.
    @Test func whatIsNoSegment() throws {
        let (bench, names) = try Segments.workbench()
        let wal = "\(bench.data)/pg_wal"
        let old = "\(wal)/\(names[0])", other = "\(wal)/\(names[1])"
        for (what, command) in [
            ("half", "head -c 524288 \"$1\" >new"), ("cut", "head -c 1048575 \"$1\" >new"),
            ("overlong", "cat \"$1\" >new && printf x >>new"), ("two of them", "cat \"$1\" \"$2\" >new"),
            ("another one", "cat \"$2\" >new"),
            ("of a later timeline", "cat \"$1\" >new && printf '\\002' | dd of=new bs=1 seek=4 conv=notrunc 2>/dev/null"),
            ("empty", ": >new"), ("a header", "head -c 40 \"$1\" >new"),
        ] {
            try run(
                ["sh", "-ec", "cp \"$1\" kept && \(command) && chmod 600 new && mv new \"$1\"", "sh", old, other], in: bench.folder.path)
            for name in [names[0], "\(names[0]).partial"] {
                if name != names[0] { try run(["cp", old, "\(wal)/\(name)"]) }
                let outcome = try bench.push(name)
                #expect([28, 29].contains(outcome.status) && outcome.text.contains(names[0]), "\(what): \(outcome)")
            }
            #expect(try bench.archived() == ["archive.info", "archive.info.copy"], "\(what)")
            try run(["mv", "kept", old], in: bench.folder.path)
        }
        #expect(try bench.push(names[0]).status == 0)
        // Of the timeline that was left: what the server copied into the first segment of the new one.
        let next = "00000002" + names[1].dropFirst(8)
        try run(["cp", other, "\(wal)/\(next)"])
        #expect(try bench.push(next).status == 0)
        // For who says so nobody looks.
        try run(["sh", "-ec", "head -c 524288 \"$0\" >new && chmod 600 new && mv new \"$0\"", "\(wal)/\(names[2])"], in: bench.folder.path)
        #expect(try bench.attempt("--no-archive-header-check", "archive-push", "pg_wal/\(names[2])", in: bench.data).status == 0)
    }

    /// Everything that PostgreSQL pushes, pushed twice: to any kind of repository, and to a host that lets this one only add.
    @Test(arguments: Feature.everythingTwice.kinds + [Self.addsOnly], [Format(.zst), Format(.gz, .aes)])
    func everythingTwice(_ kind: RepositoryKind, _ format: Format) throws {
        let (bench, names) = try Segments.workbench(format, on: kind)
        let files = try Self.writeFiles(names, bench)
        for name in files {
            for _ in 0..<2 {
                let outcome = try bench.push(name)
                #expect(outcome.status == 0, "\(name): \(outcome)")
            }
        }
        let stored = try bench.archived().filter { !$0.hasPrefix("archive.info") }
        #expect(stored.count == files.count, "\(stored)")
        // The history of another timeline of that number takes nobody's place.
        let history = files[2]
        try run(["sh", "-c", "printf '1\\t0/5000000\\tno recovery target specified\\n' >\"$0\"", "\(bench.data)/pg_wal/\(history)"])
        let other = try bench.push(history)
        #expect(other.status == 45 && other.text.contains(history), "\(other)")
        // Nor does the second repository's trouble.
        try run(["sh", "-c", "printf '1\\t0/3000000\\tno recovery target specified\\n' >\"$0\"", "\(bench.data)/pg_wal/\(history)"])
        #expect(try bench.push(history).status == 0)
    }

    /// A segment, its partial form, a history and a note of a backup.
    private static func writeFiles(_ names: [String], _ bench: Workbench) throws -> [String] {
        let files = [names[0], "\(names[1]).partial", "00000002.history", "\(names[1]).00000028.backup"]
        let script = """
            cp "$0/$1" "$0/$2"
            printf '1\\t0/3000000\\tno recovery target specified\\n' >"$0/$3"
            printf 'START WAL LOCATION: 0/2000028\\n' >"$0/$4"
            """
        try run(["sh", "-ec", script, "\(bench.data)/pg_wal", names[1]] + files[1...])
        return files
    }

    /// A repository host that lets the host of the cluster add, and neither remove nor replace. The stanza is made there.
    private static let addsOnly = RepositoryKind(description: "ssh that may only add", peerReads: false) { folder, name in
        let place = try RepositoryKind.ssh.place(folder, name)
        let server = try SecureShell.shared.get()
        let locks = try folder.makeDirectory("adds-lock")
        let there = try folder.write("adds-\(name).conf", "[global]\nlock-path=\(locks)\nlog-level-file=off\n")
        let path = folder.path(name)
        let client = try server.client(
            forcedTo: "\(Tool.underTest.path) serve --config=\(there) --repo1-path=\(path) --stanza=demo --access=write")
        let options = place.options.filter { $0.0 != "cmd-ssh" } + [("cmd-ssh", client)]
        return RepositoryKind.Place(options: options, files: place.files)
    }
}
