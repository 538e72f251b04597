import EndToEndSupport
import Foundation
import Testing

/// A small stored file that inflates to more than it stands for, damaged or forged: it ends at the size that is known, the error names it,
/// and what it would fill is not filled. Files above 32 MiB cannot be written here.
@Suite(.servers)
struct InflationTests {
    private func bench() throws -> (Workbench, [String]) { try Segments.workbench(Format(.gz)) }

    /// 256 MiB of zeros.
    private func bomb() throws -> Data {
        let folder = try TemporaryFolder()
        try run(["sh", "-c", "head -c 268435456 /dev/zero | gzip -1 >'\(folder.path("bomb"))'"], asRoot: true)
        return try Data(contentsOf: URL(fileURLWithPath: folder.path("bomb")))
    }

    private func limited(_ bench: Workbench, _ arguments: String...) throws -> Outcome {
        try attempt(["bash", "-c", "ulimit -f 32768; exec \"$@\"", "bash"] + bench.command(arguments), in: bench.data)
    }

    private func expect(_ outcome: Outcome, _ words: String...) {
        #expect(outcome.status > 1 && outcome.status != 64 && outcome.status != 128 + SIGXFSZ, "\(outcome)")
        for word in words + ["has more than the expected"] { #expect(outcome.text.contains(word), "\(outcome)") }
    }

    @Test(arguments: ["pg_data/PG_VERSION", "pg_data/global/pg_control", "pg_data/base/1/1259"])
    func restore(_ name: String) throws {
        let (bench, _) = try bench()
        try bench.run("--type=full", "--no-online", "backup")
        let label = try #require(try bench.labels().first)
        try bench.files.write("backup/demo/\(label)/\(name).gz", try bomb())
        let target = try bench.folder.makeDirectory("restored", mode: "700")
        let outcome = try limited(bench, "--pg1-path=\(target)", "--job-retry=0", "--type=none", "restore")
        expect(outcome, name, label)
        #expect(!FileManager.default.fileExists(atPath: "\(target)/global/pg_control"))
    }

    @Test func archiveGet() throws {
        let (bench, names) = try bench()
        #expect(try bench.push(names[0]).status == 0)
        try bench.files.write(try bench.stored(names[0]), try bomb())
        expect(try limited(bench, "archive-get", names[0], bench.folder.path("got")), names[0])
        #expect(try run(["find", bench.folder.path, "-maxdepth", "1", "-name", "got*"]).output == "")

        // A history file is stored as it is.
        try bench.folder.write("data/pg_wal/00000002.history", "1\t0/3000000\tno recovery target specified\n")
        #expect(try bench.push("00000002.history").status == 0)
        try bench.files.write("archive/demo/15-1/00000002.history", Data(count: 100 << 20))
        expect(try limited(bench, "archive-get", "00000002.history", bench.folder.path("got")), "00000002.history")
        #expect(try run(["find", bench.folder.path, "-maxdepth", "1", "-name", "got*"]).output == "")
    }
}
