import EndToEndSupport
import Foundation
import Testing

/// A backup that was killed goes on from what it stored, and from nothing else.
@Suite(.servers)
struct ResumeTests {
    /// A cluster with tables that take a while, and a backup of it that was killed when it had stored some files for certain.
    private func killed(
        _ bench: Workbench, type: String, rows: Int = 40_000, by tool: Tool = .underTest
    ) throws -> (cluster: Cluster, label: String) {
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        if type != "full" { try bench.run("--type=full", "backup") }
        for number in 1...6 {
            try cluster.query(
                "CREATE TABLE t\(number) AS SELECT n AS id, md5(n::text) || md5((n + 1)::text) AS text FROM generate_series(1, \(rows)) n")
        }
        // Nothing of them changes any more, not even a hint.
        try cluster.query("VACUUM FREEZE")
        try cluster.archiveCurrentSegment()
        try kill(bench, type, tool)
        let label = try #require(try unfinished(bench).first)
        return (cluster, label)
    }

    /// Starts a backup and kills it when its manifest tells of files that were stored.
    private func kill(_ bench: Workbench, _ type: String, _ tool: Tool = .underTest) throws {
        // The peer wants to find its own name in archive_command.
        let check = tool.path == Tool.peer.path ? "--no-archive-check" : "--archive-check"
        let running = try bench.launch("--type=\(type)", "--process-max=1", check, "backup", tool: tool)
        defer { running.signal(9) }
        try eventually("the state of the backup is saved", within: 60) { () throws -> Bool? in
            if let outcome = running.poll() { throw Failure("the backup ended too early\n\(outcome)") }
            // Four of the six tables are there. While files appear and vanish a listing may fail.
            let names = (try? bench.files.names("backup/demo")) ?? []
            return names.filter { $0.contains(/pg_data\/base\/5\/16[0-9]{3}\.[a-z0-9]+$/) }.count >= 4 ? true : nil
        }
        running.signal(9)
        _ = try running.wait()
    }

    /// Labels with a copy of a manifest and no manifest.
    private func unfinished(_ bench: Workbench) throws -> [String] {
        let names = try bench.files.names("backup/demo")
        func labels(_ ending: String) -> Set<String> {
            Set(names.filter { $0.hasSuffix(ending) }.compactMap { $0.split(separator: "/").dropLast().last.map(String.init) })
        }
        return labels("/backup.manifest.copy").subtracting(labels("/backup.manifest")).sorted()
    }

    @Test(
        arguments: RepositoryCase.table(
            .resume, [Format(.bz2), Format(.bz2, .aes), Format(.gz)], elsewhere: [Format(.bz2, .aes), Format(.gz)]))
    func goesOn(_ example: RepositoryCase) throws {
        let type = ["full", "diff", "incr"][Int(example.row) % 3]
        let bench = try Workbench(example, options: ["manifest-save-threshold": "1B"])
        // Elsewhere all takes longer, their WAL too.
        let (cluster, label) = try killed(bench, type: type, rows: example.kind.isFolder ? 40_000 : 20_000)
        try bench.run("check")
        // A file that changed meanwhile, and keeps its size.
        try cluster.query("UPDATE t2 SET text = reverse(text) WHERE id = 5; CHECKPOINT")
        let rows = try cluster.fingerprint()
        let outcome = try bench.run("--type=\(type)", "--log-level-console=detail", "backup")
        #expect(outcome.text.contains("resumable backup \(label) of same type exists"), "\(outcome)")
        let resumed = outcome.text.components(separatedBy: "checksum resumed file").count - 1
        #expect(resumed > 0, "\(outcome)")
        #expect(try bench.labels().last == label)
        #expect(try unfinished(bench).isEmpty)
        try cluster.archiveCurrentSegment()
        try cluster.stop()
        try bench.expect(rows, inBackup: label)
    }

    /// What is not as it was stored is stored again; and being killed again loses nothing.
    @Test func nothingIsBelieved() throws {
        let bench = try Workbench(Format(.bz2), options: ["manifest-save-threshold": "1B"])
        let (cluster, label) = try killed(bench, type: "full")
        try kill(bench, "full")
        #expect(try unfinished(bench) == [label])
        let stored = try run(
            ["sh", "-ec", "ls -S \"$0\"/backup/demo/\(label)/pg_data/base/5/* | head -n 2", bench.repository]
        ).output.split(separator: "\n").map { String($0.dropFirst(bench.repository.count + 1)) }
        #expect(stored.count == 2)
        try bench.files.damage(stored[0], at: 2000)
        try bench.files.change(stored[1]) { $0 = $0.prefix(1000) }
        try bench.files.write("backup/demo/\(label)/pg_data/stray.bz2", Data("stray".utf8))
        let rows = try cluster.fingerprint()
        let outcome = try bench.run("--type=full", "--log-level-console=detail", "backup")
        for name in stored {
            let table = try #require(name.split(separator: "/").last?.dropLast(4))
            #expect(!outcome.text.contains(try Regex("checksum resumed file [^ ]*/\(table) ")), "\(outcome)")
        }
        #expect(outcome.text.contains("checksum resumed file"), "\(outcome)")
        #expect(try !bench.files.names("backup/demo").contains { $0.contains("stray") })
        try cluster.archiveCurrentSegment()
        try cluster.stop()
        try bench.expect(rows)
    }

    @Test(arguments: [
        (["--no-resume", "--type=full"], nil), (["--type=full", "--compress-type=gz"], "its compress-type is bz2"),
        (["--type=incr"], nil),
    ])
    func beginsAnew(_ options: [String], _ words: String?) throws {
        let bench = try Workbench(Format(.bz2), options: ["manifest-save-threshold": "1B"])
        let (cluster, label) = try killed(bench, type: "full")
        defer { withExtendedLifetime(cluster) {} }
        let outcome = try bench.run(["--log-level-console=info"] + options + ["backup"])
        if options == ["--type=incr"] {
            // There is nothing that it could be made onto, so it is a full one too.
            #expect(outcome.text.contains("resumable backup \(label)"), "\(outcome)")
            return
        }
        #expect(outcome.text.contains("remove unfinished backup \(label)"), "\(outcome)")
        if let words { #expect(outcome.text.contains("cannot be resumed: \(words)"), "\(outcome)") }
        #expect(try bench.labels().last != label)
    }

    /// What pgBackRest left can be used as well, when it is so old that no other host can be at it.
    @Test func ofThePeer() throws {
        let bench = try Workbench(Format(.bz2, .aes), options: ["manifest-save-threshold": "1B"])
        let (cluster, label) = try killed(bench, type: "full", by: .peer)
        let rows = try cluster.fingerprint()
        try run(["find", "\(bench.repository)/backup/demo/\(label)", "-exec", "touch", "-d", "-2 hours", "{}", "+"])
        let outcome = try bench.run("--type=full", "--log-level-console=detail", "backup")
        #expect(outcome.text.contains("resumable backup \(label)") && outcome.text.contains("checksum resumed file"), "\(outcome)")
        try cluster.archiveCurrentSegment()
        try cluster.stop()
        try bench.expect(rows, tool: .peer)
    }
}
