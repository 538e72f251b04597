import EndToEndSupport
import Foundation
import Testing

/// A page whose checksum is wrong is backed up like any other, and told about: in the log, in `info`, in the manifest.
@Suite(.servers)
struct DamagedPageTests {
    @Test(arguments: Feature.damagedPage.kinds)
    func toldAndNotFatal(_ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
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
        let label = try #require(try bench.labels().last)
        #expect(try bench.info().backup.last?.error == true)
        let text = try bench.run("--set=\(label)", "info").output
        #expect(text.contains("error list: pg_data/\(file)"), "\(text)")

        #expect(outcome.text.contains("backup command encountered 1 checksum warning(s), check the log file for details"), "\(outcome)")

        // Asked for, it is an error, and no backup.
        let refused = try bench.attempt("--type=full", "--checksum-page-error", "backup")
        #expect(
            refused.status == 26 && refused.text.contains("invalid page checksum found in file \(cluster.data)/\(file) at page 2"),
            "\(refused)")
        #expect(try bench.labels() == [label])

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
}
