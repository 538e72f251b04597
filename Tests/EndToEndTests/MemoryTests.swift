import EndToEndSupport
import Foundation
import Testing

/// The memory of a backup grows with the number of files by what has to be known of each, and by nothing else.
@Suite(.servers)
struct MemoryTests {
    /// Bytes a file. It was 1,300 once, when names, owners and manifests were kept several times over.
    private static let budget = 400

    /// An incremental backup knows the files of its prior backup besides.
    @Test(arguments: [("--type=full", budget), ("--type=incr", budget + 100)])
    func backupOfManyFiles(_ type: String, _ budget: Int) throws {
        let (few, many) = (1_000, 41_000)
        let grown = try peak(of: many, type) - peak(of: few, type)
        #expect(grown > 0 && grown / (many - few) <= budget, "\(grown) bytes for \(many - few) files")
    }

    @Test func restoreOfManyFiles() throws {
        let (few, many) = (1_000, 41_000)
        let grown = try peak(of: many, "restore") - peak(of: few, "restore")
        #expect(grown > 0 && grown / (many - few) <= Self.budget, "\(grown) bytes for \(many - few) files")
    }

    /// Bytes of memory that a backup or a restore of a cluster with so many small relations had at most.
    private func peak(of files: Int, _ type: String) throws -> Int {
        let (bench, _) = try Segments.workbench(Format(.none))
        try run(
            [
                "sh", "-c", "mkdir \"$1\"/base/77 && cd \"$1\"/base/77 && seq 100000 $((99999 + $2)) | xargs touch", "sh", bench.data,
                "\(files)",
            ])
        let report = bench.folder.path("peak")
        if type != "--type=full" { try bench.run("--no-online", "--type=full", "backup") }
        try run(["touch", "\(bench.data)/one-more"])
        let restored = try bench.folder.makeDirectory("restored")
        let command = bench.command(type == "restore" ? ["--pg1-path=\(restored)", "restore"] : ["--no-online", type, "backup"])
        try run(["python3", "-c", Self.script, report] + command, in: bench.folder.path)
        let peak = try String(contentsOfFile: report, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        return try #require(Int(peak)) * 1024
    }

    private static let script = """
        import os, sys
        process = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
        _, status, usage = os.wait4(process, 0)
        open(sys.argv[1], "w").write(str(usage.ru_maxrss))
        sys.exit(os.waitstatus_to_exitcode(status))
        """
}
