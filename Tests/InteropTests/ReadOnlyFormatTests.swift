import EndToEndSupport
import Foundation
import Testing

/// What reads a stanza of repository format 6 works; what would write into it is refused, and leaves every byte as it was.
@Suite(.servers)
struct ReadOnlyFormatTests {
    /// The golden repository with its newest backup restored.
    private func restored(_ name: String) throws -> Workbench {
        let golden = GoldenTests.Golden(description: name)
        let bench = try golden.unpack()
        try run(["mkdir", "-m", "700", bench.data])
        try bench.run("--type=none", "--tablespace-map=16400=\(try golden.tablespace(in: bench))", "restore")
        return bench
    }

    private func sums(_ bench: Workbench) throws -> String {
        try run(
            ["sh", "-c", "find . -printf '%p %y %T@\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha1sum"], in: bench.repository
        ).output
    }

    @Test(
        arguments: [
            ("format6-none", 29), ("format6-gz-cipher", 29), ("format6-upgraded-cipher", 29), ("format6-interrupted-cipher", 28),
        ] as [(String, Int32)])
    func refused(_ name: String, _ status: Int32) throws {
        let bench = try restored(name)
        let wal = "\(bench.data)/pg_wal"
        try run(["mkdir", "-p", wal])
        let segment = "000000010000000000000010"
        try bench.run("archive-get", segment, "\(wal)/\(segment)", in: bench.data)
        // A segment that the archive does not have, and is the cluster's own.
        try run(["sh", "-c", "printf '1\\t0/1\\tx\\n' > \(wal)/00000003.history"])
        let before = try sums(bench)

        func expect(_ arguments: [String], _ status: Int32, _ words: [String]) throws {
            let outcome = try bench.attempt(arguments, in: bench.data)
            #expect(outcome.status == status, "\(outcome)")
            for text in words { #expect(outcome.text.contains(text), "\(text) is missing\n\(outcome)") }
            #expect(try sums(bench) == before, "\(arguments)")
        }
        let format = ["repository format 6", "HINT: use pgBackRest 2.60"]
        let different = [
            "are at different repository formats", "archive: format = 6", "backup : format = 5",
            "HINT: run stanza-upgrade with --repo1-format=6 to complete an interrupted upgrade.",
        ]
        let both = status == 28 ? different : format
        for type in ["full", "diff", "incr"] { try expect(["--no-online", "--type=\(type)", "backup"], status, both) }
        try expect(["--no-online", "stanza-create"], status, both)
        try expect(["archive-push", "pg_wal/\(segment)"], 29, format)
        try expect(["archive-push", "pg_wal/00000003.history"], 29, format)
        try expect(["--no-online", "--repo1-format=6", "stanza-create"], 29, ["asks for repository format 6"])
        try expect(["archive-get", segment, bench.folder.path("got")], 0, [])
    }

    /// The cause is told as for any damaged file, and no file is made.
    @Test func unknownKey() throws {
        let bench = try restored("format6-gz-cipher")
        let file = "\(bench.repository)/archive/demo/15-1/00000002.history"
        try run(["sh", "-c", "{ printf 'PGBR006K\\00299'; tail -c +11 \(file); } > \(file).new && mv \(file).new \(file)"])
        let outcome = try bench.attempt("--archive-timeout=1", "archive-get", "00000002.history", bench.folder.path("got"), in: bench.data)
        #expect(outcome.status == 200 && outcome.text.contains("[042]"), "\(outcome)")
        #expect(outcome.text.contains("repo1: 15-1/00000002.history unable to find cipher key '99'"), "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: bench.folder.path("got")))
    }

    /// A repository that is refused does not keep the segment from the other one.
    @Test func twoRepositories() throws {
        let bench = try restored("format6-none")
        let other = try bench.folder.makeDirectory("other")
        try bench.configure(["repo2-path": other])
        // Beside a stanza of format 6 nothing is made, so the second repository gets its stanza alone.
        try run(["sh", "-c", "sed '/^repo1/d; s/^repo2/repo1/' \(bench.configuration) > \(bench.folder.path("alone.conf"))"])
        try run(
            [bench.tool.path, "--config=\(bench.folder.path("alone.conf"))", "--stanza=demo", "--no-online", "stanza-create"],
            in: bench.data)
        let before = try sums(bench)
        try run(["mkdir", "-p", "\(bench.data)/pg_wal"])
        let segment = "000000010000000000000010"
        try bench.run("archive-get", segment, "\(bench.data)/pg_wal/\(segment)", in: bench.data)
        let outcome = try bench.attempt("archive-push", "pg_wal/\(segment)", in: bench.data)
        #expect(outcome.status == 104 && outcome.text.contains("repo1: stanza 'demo' is of repository format 6"), "\(outcome)")
        #expect(try sums(bench) == before)
        #expect(try run(["find", other, "-name", "\(segment)-*"]).output.contains(segment))
    }
}
