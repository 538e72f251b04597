import EndToEndSupport
import Foundation
import Testing

/// buffer-size is what is copied at a time: four blocks are on their way, so each has a quarter of it. A segment of these tests has 1 MiB.
@Suite(.servers)
struct BufferSizeTests {
    @Test(arguments: [(nil, 256), ("16KiB", 4), ("64KiB", 16), ("16MiB", 1024)] as [(String?, Int)])
    func blocks(_ size: String?, _ kibibytes: Int) throws {
        let (bench, names) = try Segments.workbench(Format(.none))
        let trace = bench.folder.path("trace")
        let outcome = try attempt(
            ["strace", "-f", "-y", "-e", "trace=write,pwrite64", "-o", trace]
                + bench.command((size.map { ["--buffer-size=\($0)"] } ?? []) + ["archive-push", "pg_wal/\(names[0])"]),
            in: bench.data)
        #expect(outcome.status == 0, "\(outcome)")
        let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").filter { $0.contains(names[0]) }
        let written = calls.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(written.reduce(0, +) == 1 << 20)
        #expect(written.max() == kibibytes << 10, "\(calls.prefix(3))")
        let got = try #require(try bench.get(names[0]))
        #expect(try bench.isSame(names[0], as: got))
    }

    /// Files and blocks that do not fit each other, through compression and encryption, and back.
    @Test func smallest() throws {
        let bench = try Workbench(Format(.zst, .aes), options: ["buffer-size": "16KiB"])
        try bench.bringBack(bench.clusterWithBackup())
    }
}
