import EndToEndSupport
import Testing

/// A server archives, a backup is taken, more happens, the cluster is lost and comes back with every row: on each PostgreSQL,
/// in each kind of repository, with every codec, open and sealed.
@Suite(.servers)
struct RoundTripTests {
    struct Case: Sendable, CustomStringConvertible {
        let version: Int
        let format: Format
        var kind = RepositoryKind.posix
        var description: String { "PostgreSQL \(version), \(format), \(kind)" }
    }

    static let cases: [Case] =
        [
            Case(version: 14, format: Format(.gz, .aes)),
            Case(version: 15, format: Format(.zst)),
            Case(version: 16, format: Format(.lz4)),
            Case(version: 17, format: Format(.none, .aes)),
            Case(version: 18, format: Format(.zst, .aes)),
            Case(version: 15, format: Format(.none)),
            Case(version: 15, format: Format(.bz2)),
            Case(version: 15, format: Format(.lz4, .aes)),
        ] + Feature.roundTrip.others.map { Case(version: 15, format: Format(.zst), kind: $0) }

    @Test(arguments: cases)
    func backupAndRestore(_ example: Case) throws {
        let bench = try Workbench(example.format, on: example.kind)
        let cluster = try bench.cluster(example.version)
        try bench.run("stanza-create")
        try bench.run("stanza-create") // again: the same answer
        try bench.run("check")

        try cluster.query(
            "CREATE TABLE item (id int PRIMARY KEY, text text); INSERT INTO item SELECT n, 'before ' || n FROM generate_series(1, 5000) n")
        try bench.run("--type=full", "backup")
        try cluster.query(
            "INSERT INTO item SELECT n, 'after ' || n FROM generate_series(5001, 6000) n; UPDATE item SET text = 'changed' WHERE id % 7 = 0"
        )
        let rows = try cluster.fingerprint()
        let last = try cluster.archiveCurrentSegment()

        let info = try bench.info()
        #expect(info.status.code == 0)
        #expect(info.cipher == example.format.cipher.rawValue)
        #expect(info.backup.map(\.type) == ["full"])
        #expect(info.backup.allSatisfy { $0.error != true })
        #expect(info.archive.map(\.id) == ["\(example.version)-1"])
        #expect(info.archive.first?.max == last)
        let text = try bench.run("info").output
        #expect(text.contains("stanza: demo\n    status: ok\n    cipher: \(example.format.cipher.rawValue)\n"), "\(text)")
        #expect(text.contains("full backup: \(try #require(info.backup.first).label)\n"), "\(text)")

        // The disaster.
        try cluster.stop("immediate")
        try run(["rm", "-rf", cluster.data])

        let restored = try bench.restore("data", version: example.version)
        try restored.start()
        try restored.waitForPromotion()
        #expect(try restored.fingerprint() == rows)

        // The page checksums of the restored cluster hold, and it goes on archiving on its new timeline.
        let next = try restored.archiveCurrentSegment()
        #expect(next.hasPrefix("00000002"))
        #expect(try bench.info().archive.first?.max == next)
        try restored.stop()
        try run([restored.installation.program("pg_checksums"), "--check", "-D", restored.data])
    }
}
