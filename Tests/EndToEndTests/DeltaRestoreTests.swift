import EndToEndSupport
import Foundation
import Testing

/// A restore over what an earlier one left, whole or killed: it ends in the same place, and no server can be started on the way.
@Suite(.servers)
struct DeltaRestoreTests {
    private struct Scene {
        let bench: Workbench
        let options: [String]
        let expected: String

        /// A golden repository of a real cluster, and what its first backup restores to.
        init() throws {
            bench = try GoldenTiny.unpack("real-A")
            options = ["--type=none", "--set=\(try bench.labels()[0])", "--tablespace-map=ts1=\(bench.folder.path("ts"))"]
            try run(["mkdir", "-m", "700", bench.data])
            try bench.run(options + ["restore"])
            expected = try Scene.content(bench)
        }

        func content() throws -> String { try Scene.content(bench) }
        private static func content(_ bench: Workbench) throws -> String {
            try run(
                ["sh", "-c", "find data ts -printf '%P %y %m %l\\n' | sort; find data ts -type f -exec sha1sum {} + | sort"],
                in: bench.folder.path
            ).output
        }
        func empty() throws {
            try run(["rm", "-rf", bench.data, bench.folder.path("ts")])
            try run(["mkdir", "-m", "700", bench.data])
        }
    }

    /// Files that are kept may be those of a run that was killed before it synced them.
    @Test func keptFilesAreSynced() throws {
        let scene = try Scene()
        let trace = scene.bench.folder.path("trace")
        let outcome = try attempt(
            ["strace", "-f", "-y", "-e", "trace=openat,fsync,syncfs,unlink,unlinkat,rename,renameat,renameat2", "-o", trace]
                + scene.bench.command(scene.options + ["--delta", "restore"]), in: scene.bench.folder.path)
        #expect(outcome.status == 0, "\(outcome)")
        let calls = try String(contentsOfFile: trace, encoding: .utf8).components(separatedBy: "\n").filter { !$0.contains("ENOENT") }
        let control = "\(scene.bench.data)/global/pg_control"
        let gone = try #require(calls.firstIndex { $0.contains("unlink") && $0.contains(control) })
        let back = try #require(calls.firstIndex { $0.contains("rename") && $0.contains("\"\(control)\"") })
        let table = "\(scene.bench.data)/base/1/1259"
        let read = try #require(calls.firstIndex { $0.contains("openat") && $0.contains("\"\(table)\"") && $0.contains("O_RDONLY") })
        #expect(!calls.contains { $0.contains("rename") && $0.contains(table) }, "it was written again")
        // The whole file system at once, or this file where that is not to be relied on.
        let synced = try #require(
            calls.lastIndex { ($0.contains("syncfs(") || $0.contains("fsync(") && $0.contains("<\(table)>")) && $0.hasSuffix("= 0") })
        #expect(gone < read && read < synced && synced < back, "\(gone) \(read) \(synced) \(back)")
        // The removal is durable before anything else changes.
        #expect(calls[gone...].first { $0.contains("sync") } != nil)
        #expect(try scene.content() == scene.expected)
    }

    @Test func pgControlIsAbsentMeanwhile() throws {
        let scene = try Scene()
        let running = try scene.bench.launch(scene.options + ["--delta", "restore"])
        let control = "\(scene.bench.data)/global/pg_control"
        while FileManager.default.fileExists(atPath: control) {
            if let outcome = running.poll() { throw Failure("it ended too early\n\(outcome)") }
        }
        running.signal(19)
        #expect(!FileManager.default.fileExists(atPath: control))
        #expect(FileManager.default.fileExists(atPath: "\(scene.bench.data)/backup.manifest"))
        running.signal(9)
        _ = try running.wait()
        #expect(!FileManager.default.fileExists(atPath: control))
        try scene.bench.run(scene.options + ["--delta", "restore"])
        #expect(try scene.content() == scene.expected)
    }

    @Test(arguments: [51, 52] as [UInt64])
    func afterAKill(_ seed: UInt64) throws {
        let scene = try Scene()
        try scene.empty()
        let seconds = try scene.bench.run(scene.options + ["restore"]).seconds
        var random = Seeded(seed)
        var killed = 0
        for round in 0..<5 {
            try scene.empty()
            let running = try scene.bench.launch(scene.options + ["restore"])
            let moment = ContinuousClock.now + .seconds(Double.random(in: 0...seconds * 0.95, using: &random))
            while running.poll() == nil {
                // The first at the very moment that something appears.
                if round == 0
                    ? (try !FileManager.default.contentsOfDirectory(atPath: scene.bench.data).isEmpty) : ContinuousClock.now >= moment
                {
                    break
                }
            }
            running.signal(9)
            if try running.wait().status == 137 { killed += 1 }
            let again = try scene.bench.attempt(scene.options + ["--delta", "restore"])
            #expect(again.status == 0, "\(again)")
            #expect(try scene.content() == scene.expected, "round \(round)")
        }
        #expect(killed > 0)
    }

    /// Killed while it wrote the file that says that it is unfinished.
    @Test func markerIsHalfWritten() throws {
        let scene = try Scene()
        for options in [[], ["--delta"]] {
            try scene.empty()
            try run(["sh", "-c", "echo half >\"$0\"/backup.manifest.pgbackrest.tmp", scene.bench.data])
            let outcome = try scene.bench.attempt(scene.options + options + ["restore"])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try scene.content() == scene.expected)
        }
    }
}

extension Workbench {
    func launch(_ arguments: [String]) throws -> Running { try Running(command(arguments), in: folder.path) }
}
