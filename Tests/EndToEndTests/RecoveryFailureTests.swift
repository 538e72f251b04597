import EndToEndSupport
import Foundation
import Testing

/// Recovery to the end of the WAL while repositories fail: the server may stop, but it never opens for writing without all rows.
@Suite(.servers)
struct RecoveryFailureTests {
    /// A restored cluster that has not been started yet, and the archive of which it needs several segments: nine rows, one a segment.
    private final class Scene {
        let bench: Workbench
        let cluster: Cluster
        let segments: [String]
        private let base: String

        init() throws {
            bench = try Workbench(on: .posix, and: .posix)
            let source = try bench.clusterWithBackup()
            try source.query("CREATE TABLE late (id int)")
            segments = try (1...9).map { number in
                try source.query("INSERT INTO late VALUES (\(number))")
                return try source.archiveCurrentSegment()
            }
            try source.stop()
            base = bench.folder.path("base")
            try run(["rm", "-rf", bench.data])
            _ = try bench.restore()
            try run(["mv", bench.data, base])
            cluster = try Cluster(.version(15), in: bench.folder, name: "data-copy")
        }

        /// Recovers a copy, starting the server again when it stops. `script`: run by sh for each file, in front of the real command;
        /// `$1` is the name of the file. Answers how many rows there are when the server opens for writing; nil when it never does.
        func recover(_ script: String = "", options: String = "") throws -> String? {
            let data = cluster.data
            try run(["sh", "-c", "rm -rf \"$0\" \"$0.count\" \"$0.log\" && cp -a \"$1\" \"$0\"", data, base])
            let get = bench.command(["--pg1-path=\(data)"]).joined(separator: " ")
            let program = try bench.folder.writeProgram(
                "get-\(UUID().uuidString)", "#!/bin/sh\nmore='\(options)'\n\(script)\nexec \(get) $more archive-get \"$1\" \"$2\"\n")
            defer { if cluster.isRunning { try? cluster.stop("immediate") } }
            for _ in 0..<4 {
                _ = try cluster.tryToStart(["restore_command='\(program) %f %p'", "archive_mode=off"])
                let opened = try eventually("the server opens for writing or stops") { () -> Bool? in
                    guard cluster.isRunning else { return false }
                    return (try? cluster.query("SELECT pg_is_in_recovery()")) == "f" ? true : nil
                }
                if opened { return try cluster.query("SELECT count(*) FROM late") }
            }
            return nil
        }

        /// A script that lets three calls for that segment meet a repository that is not there.
        func outage(of repository: Int, at segment: String) -> String {
            """
            if [ "$1" = \(segment) ]; then
                echo x >>"\(cluster.data).count"
                if [ $(wc -l <"\(cluster.data).count") -le 3 ]; then more="$more --repo\(repository)-path=\(bench.folder.path("away"))"; fi
            fi
            """
        }

        func stored(_ segment: String, _ repository: Int) throws -> String {
            let files = repository == 1 ? bench.files : bench.secondFiles
            guard let name = try files.names("archive/demo").first(where: { $0.contains(segment) }) else { throw Failure("no \(segment)") }
            return name
        }
    }

    @Test func neverWithMissingRows() throws {
        let scene = try Scene()
        let middle = scene.segments[4]
        #expect(try scene.recover() == "9")
        for repository in [1, 2] {
            let files = [scene.bench.files, scene.bench.secondFiles]
            // The other one has not got it: what was pushed while that was away, say.
            let name = try scene.stored(middle, 3 - repository)
            let kept = try files[2 - repository].read(name)
            try files[2 - repository].remove(name)
            #expect(try scene.recover(scene.outage(of: repository, at: middle)) == "9", "repo\(repository)")
            try files[2 - repository].write(name, kept)
            // The end of the archive, as far as the other one knows.
            let last = try #require(scene.segments.last)
            let next = last.dropLast(2) + String(format: "%02X", try #require(Int(last.suffix(2), radix: 16)) + 1)
            #expect(try scene.recover(scene.outage(of: repository, at: String(next))) == "9", "repo\(repository)")
        }

        // One bit, in one repository and then in both.
        let damaged = try [1, 2].map { try scene.stored(middle, $0) }
        func flip(_ content: inout Data) { content[content.startIndex + content.count / 2] ^= 8 }
        try scene.bench.files.change(damaged[0], flip)
        #expect(try scene.recover() == "9")
        try scene.bench.secondFiles.change(damaged[1], flip)
        #expect(try scene.recover() == nil)
        #expect(scene.cluster.log.contains("exit code 200") && !scene.cluster.log.contains("archive recovery complete"))
        // For who says that this is the end.
        let rest = try #require(try scene.recover(options: "--archive-get-failure=continue"))
        #expect(rest != "9")
        try scene.bench.files.change(damaged[0], flip)
        #expect(try scene.recover() == "9")
    }
}
