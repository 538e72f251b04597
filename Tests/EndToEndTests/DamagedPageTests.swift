import EndToEndSupport
import Foundation
import Testing

/// A page whose checksum is wrong is backed up like any other, and told about: in the log, in `info`, in the manifest.
@Suite(.servers)
struct DamagedPageTests {
    /// How the file is stored.
    enum Storing: CaseIterable {
        case whole, bundle, blocks, bundledBlocks

        var options: KeyValuePairs<String, String> {
            switch self {
            case .whole: [:]
            case .bundle: ["repo1-bundle": "y"]
            case .blocks: ["repo1-bundle": "y", "repo1-block": "y", "repo1-bundle-limit": "64KiB"]
            case .bundledBlocks: ["repo1-bundle": "y", "repo1-block": "y"]
            }
        }
    }

    private static let cases: [(RepositoryKind, Storing)] =
        Storing.allCases.map { (.posix, $0) } + Feature.damagedPage.others.map { ($0, .blocks) }

    @Test(arguments: cases)
    func toldAndNotFatal(_ kind: RepositoryKind, _ storing: Storing) throws {
        let bench = try Workbench(Format(.zst), on: kind, options: storing.options)
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        try cluster.query("CREATE TABLE item AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 5000) n; CHECKPOINT")
        let file = try cluster.query("SELECT pg_relation_filepath('item')")
        try cluster.stop()
        // Byte 100 of page 2 of the table: the server does not see it, the checksum does.
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: "\(cluster.data)/\(file)"))
        try handle.seek(toOffset: 2 * 8192 + 100)
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: 2 * 8192 + 100)
        try handle.write(contentsOf: Data([byte ^ 1]))
        try handle.close()
        try cluster.start()

        let outcome = try bench.run("--type=full", "backup")
        #expect(outcome.text.contains("invalid page checksum found in file \(cluster.data)/\(file) at page 2"), "\(outcome)")
        let full = try #require(try bench.labels().last)
        // A later backup has the file from there, and its fault.
        let later = try bench.run("--type=incr", "backup")
        #expect(!later.text.contains("invalid page checksum"), "\(later)")
        let label = try #require(try bench.labels().last)
        for label in [full, label] {
            let entries = try bench.files.text("backup/demo/\(label)/backup.manifest").split(separator: "\n")
            let entry = try #require(entries.first { $0.hasPrefix("pg_data/\(file)={") })
            #expect(entry.contains(#""checksum-page":false,"checksum-page-error":[2]"#), "\(entry)")
            #expect(entry.contains("\"bni\":") == (storing == .bundle || storing == .bundledBlocks), "\(entry)")
            #expect(entry.contains("\"bim\":") == (storing == .blocks || storing == .bundledBlocks), "\(entry)")
            #expect(entry.contains("\"reference\":\"\(full)\"") == (label != full), "\(entry)")
            let text = try bench.run("--set=\(label)", "info").output
            #expect(text.contains("error list: pg_data/\(file)"), "\(text)")
        }
        #expect(try bench.info().backup.map(\.error) == [true, true])

        #expect(outcome.text.contains("backup command encountered 1 checksum warning(s), check the log file for details"), "\(outcome)")

        // Asked for, it is an error, and no backup.
        let refused = try bench.attempt("--type=full", "--checksum-page-error", "backup")
        #expect(
            refused.status == 26 && refused.text.contains("invalid page checksum found in file \(cluster.data)/\(file) at page 2"),
            "\(refused)")
        #expect(try bench.labels() == [full, label])

        // What was bad in the cluster stops a restore, also one that finds the file there.
        try cluster.stop()
        let damaged = try Data(contentsOf: URL(fileURLWithPath: "\(cluster.data)/\(file)"))
        try run(["rm", "-rf", cluster.data])
        try bench.folder.makeDirectory("data")
        for options in [[], ["--delta"], ["--delta"]] {
            let stopped = try bench.attempt(options + ["--type=none", "restore"])
            #expect(stopped.status == 26, "\(stopped)")
            #expect(stopped.text.contains("invalid page checksum(s) found in file \(cluster.data)/\(file)"), "\(stopped)")
            #expect(try attempt(["test", "-e", "\(cluster.data)/global/pg_control"]).status == 1)
        }
        // The file comes back as it was, when that is wanted.
        let restored = try bench.attempt("--delta", "--type=none", "--no-checksum-page-error", "restore")
        #expect(restored.status == 0, "\(restored)")
        #expect(restored.text.contains("restore command encountered page checksum error(s) in 1 file(s)"), "\(restored)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(cluster.data)/\(file)")) == damaged)
    }

    /// Pages that are written while checksums are off have none: whatever is found in them after the switch is no damage.
    @Test func switchedOffMeanwhile() throws {
        let bench = try Workbench(options: ["process-max": "1", "compress-level": "1"])
        // It never runs.
        let cluster = try Cluster.make(.version(15), in: bench.folder, name: "data")
        try bench.run("--no-online", "stanza-create")
        // Page 2 of pg_class.
        try run(["sh", "-c", "printf '\\377\\377\\377\\377' | dd of=\"$0\" bs=1 seek=16484 conv=notrunc", "\(cluster.data)/base/5/1259"])
        // Read first, because it is the largest.
        try run(["truncate", "-s", "150M", "\(cluster.data)/large"])
        let running = try bench.launch("--no-online", "--checksum-page", "--checksum-page-error", "--type=full", "backup")
        _ = try eventually("the backup copies files") {
            if let outcome = running.poll() { throw Failure("the backup ended before its files were seen\n\(outcome)") }
            return try attempt(["sh", "-c", "test -e \"$0\"/backup/demo/*F/backup.manifest.copy", bench.repository]).status == 0
                ? true : nil
        }
        running.signal(SIGSTOP)
        try run([cluster.installation.program("pg_checksums"), "--disable", "-D", cluster.data])
        running.signal(SIGCONT)
        let outcome = try running.wait()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            outcome.text.components(separatedBy: "page checksums were switched off while the cluster was backed up").count == 2,
            "\(outcome)")
        #expect(!outcome.text.contains("invalid page checksum"), "\(outcome)")
        let label = try #require(try bench.labels().last)
        #expect(try bench.info().backup.last?.error == false)
        let text = try bench.files.text("backup/demo/\(label)/backup.manifest")
        #expect(text.contains("option-checksum-page=false\n") && !text.contains("\"checksum-page"))
        // Nothing stops a restore.
        try run(["rm", "-rf", cluster.data])
        try bench.folder.makeDirectory("data")
        try bench.run("--type=none", "restore")
    }
}
