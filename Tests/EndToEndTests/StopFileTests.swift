import EndToEndSupport
import Testing

/// `stop` ends what writes to the repository, for one stanza or for all, and nothing else.
@Suite(.servers)
struct StopFileTests {
    @Test(arguments: ["demo", nil], Feature.stopped.kinds)
    func whatWritesIsStopped(_ stanza: String?, _ kind: RepositoryKind) throws {
        let (bench, names) = try Segments.workbench(on: kind)
        #expect(try bench.push(names[0]).status == 0)
        #expect(try bench.attempt("stop", stanza: stanza).status == 0)
        for command in [
            ["archive-push", "pg_wal/\(names[1])"], ["--type=full", "--no-online", "backup"], ["--no-online", "stanza-create"],
        ] {
            let outcome = try bench.attempt(command, in: bench.data)
            // Stopped on another host: it is what that repository answers.
            #expect(outcome.status == (kind.isPulled && command[0] == "archive-push" ? 104 : 62), "\(outcome)")
            #expect(outcome.text.contains("stop file exists for \(stanza.map { "stanza \($0)" } ?? "all stanzas")"), "\(outcome)")
        }
        #expect(try bench.archived().filter { $0.hasPrefix(names[1]) }.isEmpty)
        #expect(try bench.labels().isEmpty)

        // Whoever needs the data back is not stopped.
        let got = try #require(try bench.get(names[0]))
        #expect(try bench.isSame(names[0], as: got))
        #expect(try bench.attempt("info").status == 0)

        #expect(try bench.attempt("start", stanza: stanza).status == 0)
        #expect(try bench.push(names[1]).status == 0)
        try bench.run("--type=full", "--no-online", "backup")
        #expect(try bench.attempt("stop", stanza: stanza).status == 0)
        _ = try bench.restore("restored", "--type=none")
        #expect(try attempt(["test", "-e", bench.folder.path("restored/global/pg_control")]).status == 0)
    }

    /// What other users of the host put there does not end archiving; they are named.
    @Test(
        .enabled(if: Account.isRoot),
        arguments: [
            ("their folder", "rmdir lock; mkdir -m 777 lock; touch lock/all.stop lock/demo.stop; chown -R nobody lock"),
            ("their files", "chmod 777 lock; touch lock/all.stop lock/demo.stop; chown nobody lock/*.stop"),
            (
                "their links",
                "chmod 777 lock; ln -s ../backup.conf lock/all.stop; chown -h nobody lock/all.stop; cp -P lock/all.stop lock/demo.stop; chown -h nobody lock/demo.stop"
            ),
            ("their folder by a link", "mv lock other; touch other/all.stop other/demo.stop; ln -s other lock; chown -h nobody lock"),
        ])
    func ofOthers(_ name: String, _ script: String) throws {
        let (bench, names) = try Segments.workbench()
        try run(["sh", "-ec", script], in: bench.folder.path, asRoot: true)
        let outcome = try bench.push(names[0])
        #expect(outcome.status == 0, "\(outcome)")
        for file in ["lock/all.stop", "lock/demo.stop"] {
            #expect(outcome.text.contains("stop file '\(bench.folder.path(file))' counts for nothing"), "\(outcome)")
        }
        #expect(outcome.text.contains("user 'nobody'"), "\(outcome)")
        #expect(try bench.archived().contains { $0.hasPrefix(names[0]) })
        // A stop that would stop nothing is told.
        let stop = try bench.attempt("stop")
        #expect(stop.status == 41 && stop.text.contains("user 'nobody'"), "\(stop)")
    }

    @Test(.enabled(if: Account.isRoot)) func ofRoot() throws {
        let (bench, names) = try Segments.workbench()
        try run(["sh", "-ec", "touch lock/demo.stop; chown -R root:root lock; chmod 755 lock"], in: bench.folder.path, asRoot: true)
        let outcome = try bench.push(names[0])
        #expect(outcome.status == 62, "\(outcome)")
    }

    /// The stop of another stanza is not ours.
    @Test func otherStanza() throws {
        let (bench, names) = try Segments.workbench()
        #expect(try bench.attempt("stop", stanza: "other").status == 0)
        #expect(try bench.push(names[0]).status == 0)
    }
}
