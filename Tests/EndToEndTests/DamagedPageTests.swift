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

        // The file comes back as it was.
        try cluster.stop()
        let damaged = try Data(contentsOf: URL(fileURLWithPath: "\(cluster.data)/\(file)"))
        try run(["rm", "-rf", cluster.data])
        _ = try bench.restore("data", "--type=none")
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(cluster.data)/\(file)")) == damaged)
    }
}
