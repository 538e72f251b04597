import EndToEndSupport
import Foundation
import Testing

/// pgBackRest and we work on one repository by turns, and neither sees a difference.
@Suite(.servers)
struct PeerTests {
    struct Case: Sendable, CustomStringConvertible {
        let version: Int
        let format: Format
        var bundle = false
        var kind = RepositoryKind.posix
        var peer = Tool.peer
        /// Of programs that take turns.
        var weBegin = false
        var description: String {
            "PostgreSQL \(version), \(format)\(bundle ? ", bundled" : ""), \(kind), \(peer)\(weBegin ? ", we begin" : "")"
        }
        /// Whether the other program goes on with the repository: the same for every codec, so two of them, open and sealed, do.
        var goesOn: Bool { bundle || version != 15 || (format.codec == .zst) || (format.codec == .none && format.cipher == .none) }
    }

    /// Restores with that program, starts, and compares the rows.
    private func check(_ bench: Workbench, _ tool: Tool, version: Int, rows: String, _ options: String...) throws {
        let copy = try Workbench(sharing: bench, by: tool)
        let cluster = try Cluster(.version(version), in: copy.folder, name: "data")
        try copy.folder.makeDirectory("data")
        try copy.run(options + ["restore"])
        try cluster.start(["archive_mode=off"])
        try cluster.waitForPromotion()
        #expect(try cluster.fingerprint() == rows, "restored by \(tool)")
    }

    /// The WAL segments of the server come from the archive as they are in pg_wal.
    private func checkArchive(_ bench: Workbench, _ cluster: Cluster, _ tool: Tool) throws {
        let names = try cluster.query(
            "SELECT name FROM pg_ls_waldir() WHERE name < pg_walfile_name(pg_current_wal_lsn()) AND name ~ '^[0-9A-F]{24}$'")
        #expect(!names.isEmpty)
        for name in names.split(separator: "\n").map(String.init) {
            let got = bench.folder.path("got-by-\(tool)")
            let outcome = try bench.attempt("archive-get", name, got, tool: tool, in: bench.data)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try attempt(["cmp", "\(bench.data)/pg_wal/\(name)", got]).status == 0, "\(name) by \(tool)")
        }
    }

    private func archive(with tool: Tool, _ bench: Workbench, _ cluster: Cluster) throws {
        try cluster.query("ALTER SYSTEM SET archive_command = \(bench.archiveCommand(tool: tool))")
        try cluster.query("SELECT pg_reload_conf()")
        try cluster.archiveCurrentSegment()
    }

    /// The store that both can use, at once for both.
    private static func elsewhere(_ formats: [Format]) -> [Case] {
        formats.map { Case(version: 15, format: $0, kind: .s3TLS) }
    }

    static let ours =
        Format.all.map { Case(version: 15, format: $0) } + [Case(version: 14, format: Format(.zst, .aes))]
        + elsewhere([Format(.zst, .aes), Format(.gz)]) + [Case(version: 15, format: Format(.gz), peer: .oldPeer)]

    /// What we wrote, pgBackRest reads, restores and goes on with.
    @Test(arguments: ours)
    func ourRepository(_ example: Case) throws {
        let peer = example.peer
        let bench = try Workbench(example.format, on: example.kind)
        let cluster = try bench.clusterWithBackup(example.version)
        try cluster.query("INSERT INTO item SELECT n, 'after ' || n FROM generate_series(1001, 1500) n")
        let rows = try cluster.fingerprint()
        try cluster.archiveCurrentSegment()

        #expect(try bench.info(tool: peer).backup.map(\.label) == bench.labels())
        #expect(try bench.info(tool: peer).status.code == 0)
        try bench.expectVerified(peer)
        try checkArchive(bench, cluster, peer)
        try check(bench, peer, version: example.version, rows: rows)
        try bench.run("stanza-create", tool: peer)

        // An incremental backup on top, and WAL beside ours.
        guard example.goesOn else { return }
        try cluster.query("UPDATE item SET text = 'changed' WHERE id < 100")
        try archive(with: peer, bench, cluster)
        try bench.run("check", tool: peer) // it wants to find its own name in archive_command
        try bench.run("--type=incr", "backup", tool: peer)
        let after = try cluster.fingerprint()
        try cluster.archiveCurrentSegment()
        let backups = try bench.info().backup
        #expect(backups.map(\.type) == ["full", "incr"])
        #expect(backups.last?.reference == [backups[0].label])
        try bench.expectVerified(peer)
        try check(bench, peer, version: example.version, rows: after)
        try check(bench, .underTest, version: example.version, rows: after)
    }

    static let theirs =
        Format.all.map { Case(version: 15, format: $0) }
        + [
            Case(version: 14, format: Format(.gz)), Case(version: 15, format: Format(.zst), bundle: true),
            Case(version: 15, format: Format(.lz4, .aes), bundle: true),
            Case(version: 15, format: Format(.lz4), peer: .oldPeer),
        ] + elsewhere([Format(.zst), Format(.zst, .aes), Format(.gz, .aes)])

    /// What pgBackRest wrote, we read, restore and go on with.
    @Test(arguments: theirs)
    func theirRepository(_ example: Case) throws {
        let peer = example.peer
        let bench = try Workbench(example.format, on: example.kind, by: peer)
        let cluster = try bench.cluster(example.version)
        try bench.run("stanza-create")
        try cluster.query(
            "CREATE TABLE item (id int PRIMARY KEY, text text); INSERT INTO item SELECT n, 'row ' || n FROM generate_series(1, 1000) n")
        let bundle = example.bundle ? ["--repo1-bundle"] : []
        try bench.run(bundle + ["--type=full", "backup"])
        try cluster.query("UPDATE item SET text = 'changed' WHERE id < 100")
        try bench.run(bundle + ["--type=incr", "backup"])
        try cluster.query("INSERT INTO item SELECT n, 'after ' || n FROM generate_series(1001, 1500) n")
        let rows = try cluster.fingerprint()
        try cluster.archiveCurrentSegment()

        // The two programs say the same of it.
        let labels = try bench.labels()
        #expect(labels.count == 2)
        #expect(try bench.run("info", tool: .underTest).output.split(separator: "\n").filter { $0.contains("backup: ") }.count == 2)
        let info = try bench.info(tool: .underTest)
        #expect(info.backup.map(\.label) == labels)
        #expect(info.cipher == example.format.cipher.rawValue)
        #expect(info.archive.first?.max == (try bench.info().archive.first?.max))
        try checkArchive(bench, cluster, .underTest)
        try check(bench, .underTest, version: example.version, rows: rows)
        try check(bench, .underTest, version: example.version, rows: rows, "--set=\(labels[0])")

        // Our WAL and our backup beside theirs.
        guard example.goesOn else { return }
        try bench.run("check", tool: .underTest)
        try bench.run("stanza-create", tool: .underTest)
        try archive(with: .underTest, bench, cluster)
        try bench.run("--type=full", "backup", tool: .underTest)
        #expect(try bench.info().backup.map(\.type) == ["full", "incr", "full"])
        try bench.expectVerified(peer)
        try check(bench, peer, version: example.version, rows: rows)
    }

    /// A chain in which the programs take turns, every backup onto one of the other program's, and either restores all of it.
    @Test(arguments: takingTurns)
    func turns(_ example: Case) throws {
        let bench = try Workbench(example.format, on: example.kind)
        let cluster = try bench.cluster(example.version)
        // Both archive, as on two hosts of which one has switched.
        try cluster.query(
            """
            CREATE TABLE item (id int PRIMARY KEY, text text); INSERT INTO item SELECT n, 'row ' || n FROM generate_series(1, 2000) n;
            CREATE TABLE still AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 20000) n
            """)
        var rows: [String] = []
        func backup(_ tool: Tool, _ type: String, _ change: String) throws {
            try archive(with: tool, bench, cluster)
            try cluster.query(change)
            rows.append(try cluster.fingerprint())
            let isPeer = tool.path == example.peer.path
            // Each with settings of its own: they are not those of the set.
            let bundle =
                example.bundle
                ? ["--repo1-bundle", "--repo1-block"] + (isPeer ? [] : ["--repo1-bundle-size=1MiB", "--repo1-bundle-limit=64KiB"]) : []
            try bench.run(bundle + ["--type=\(type)", "backup"], tool: tool)
        }
        let (first, second) = example.weBegin ? (Tool.underTest, example.peer) : (example.peer, Tool.underTest)
        try bench.run("stanza-create", tool: first)
        try backup(first, "full", "SELECT 1")
        try backup(second, "incr", "UPDATE item SET text = 'second' WHERE id % 50 = 0")
        try backup(first, "incr", "INSERT INTO item SELECT n, 'third' FROM generate_series(2001, 2100) n")
        try backup(second, "diff", "DELETE FROM item WHERE id < 100; CREATE TABLE added AS SELECT * FROM item")
        try backup(first, "incr", "TRUNCATE added; UPDATE still SET text = '' WHERE id = 7")
        try cluster.archiveCurrentSegment()
        try bench.expectVerified(example.peer)
        let backups = try bench.info(tool: example.peer).backup
        #expect(try bench.info(tool: .underTest).backup.map(\.label) == backups.map(\.label))
        #expect(backups.map(\.type) == ["full", "incr", "incr", "diff", "incr"])
        let labels = backups.map(\.label)
        #expect(backups.map { $0.reference ?? [] } == [[], [labels[0]], [labels[0], labels[1]], [labels[0]], [labels[0], labels[3]]])
        for (index, label) in labels.enumerated() {
            for tool in [Tool.underTest, example.peer] where index > 1 || tool.path == (index == 0 ? second : first).path {
                try check(
                    bench, tool, version: example.version, rows: rows[index], "--set=\(label)", "--type=immediate",
                    "--target-action=promote")
            }
        }
    }

    static let takingTurns =
        [
            Case(version: 15, format: Format(.zst)), Case(version: 15, format: Format(.zst), weBegin: true),
            Case(version: 15, format: Format(.none), weBegin: true), Case(version: 15, format: Format(.gz, .aes)),
            Case(version: 15, format: Format(.lz4, .aes), weBegin: true), Case(version: 15, format: Format(.bz2)),
            Case(version: 15, format: Format(.zst, .aes), bundle: true), Case(version: 17, format: Format(.none), bundle: true),
            Case(version: 15, format: Format(.gz), bundle: true, weBegin: true),
            Case(version: 16, format: Format(.lz4, .aes), bundle: true, weBegin: true),
            Case(version: 18, format: Format(.none, .aes), bundle: true),
            Case(version: 15, format: Format(.bz2), bundle: true, weBegin: true),
            Case(version: 14, format: Format(.none), bundle: true, weBegin: true),
            Case(version: 15, format: Format(.gz), peer: .oldPeer),
        ] + elsewhere([Format(.zst, .aes)])

    /// What our runs claim in a repository is nothing to pgBackRest, whether they still run or not.
    @Test func claims() throws {
        let bench = try Workbench(Format(.zst))
        let cluster = try bench.clusterWithBackup()
        try archive(with: .peer, bench, cluster)
        let claim = "\(bench.repository)/backup/demo/backup.lease-0123456789abcdef"
        try bench.folder.write(
            "claim", "{\"command\":\"backup\",\"host\":\"db2\",\"pid\":7,\"place\":\"x\",\"since\":1,\"state\":\"running\"}")
        for age in ["now", "-21 minutes"] {
            try run(["cp", bench.folder.path("claim"), claim])
            try run(["touch", "-d", age, claim])
            #expect(try bench.run("info", tool: .peer).output.contains("status: ok"))
            try bench.expectVerified()
            try bench.run("--type=full", "--repo1-retention-full=2", "backup", tool: .peer)
            try bench.run("--repo1-retention-full=2", "expire", tool: .peer)
            #expect(try bench.labels().count == 2)
            try bench.expectVerified()
            #expect(try bench.files.names("backup/demo").contains { $0.hasSuffix("0123456789abcdef") })
            let ours = try bench.attempt("--type=full", "backup")
            #expect(ours.status == (age == "now" ? 50 : 0), "\(ours)")
        }
        #expect(try !bench.files.names("backup/demo").contains { $0.contains("backup.lease") })
        try bench.expectVerified()
        try bench.bringBack(cluster)
    }
}
