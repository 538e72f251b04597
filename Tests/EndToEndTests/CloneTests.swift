import EndToEndSupport
import Foundation
import Testing

/// A copy of a cluster on the same host, made and refreshed: whatever is forgotten, the cluster that it is a copy of keeps its rows.
@Suite(.servers)
struct CloneTests {
    private func fingerprint(_ bench: Workbench, _ folders: String...) throws -> String {
        try run(["sh", "-c", "find \"$@\" -type f -exec sha1sum {} + | sort", "sh"] + folders, in: bench.folder.path).output
    }

    @Test func refreshedWithoutItsMaps() throws {
        let bench = try Workbench()
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        for name in ["ts", "wal"] { try bench.folder.makeDirectory(name) }
        try cluster.query("CREATE TABLESPACE ts1 LOCATION '\(bench.folder.path("ts"))'")
        try cluster.query("CREATE TABLE item (n int) TABLESPACE ts1; INSERT INTO item SELECT generate_series(1, 500)")
        // pg_xact by way of a link, as on hosts with a fast disk.
        try cluster.stop()
        try run(["sh", "-c", "mv data/pg_xact xact && ln -s \"$0\"/xact data/pg_xact", bench.folder.path], in: bench.folder.path)
        try cluster.start()
        try bench.run("--type=full", "backup")
        try cluster.query("INSERT INTO item SELECT generate_series(1, 400); CHECKPOINT")
        try cluster.stop()
        let before = try fingerprint(bench, "ts", "xact", "data")

        let maps = [
            "--tablespace-map=ts1=\(bench.folder.path("ts-copy"))", "--link-map=pg_xact=\(bench.folder.path("xact-copy"))",
        ]
        let base = ["--pg1-path=\(bench.folder.path("copy"))", "--type=immediate"]
        try bench.folder.makeDirectory("copy")
        try bench.run(base + maps + ["restore"])
        let copied = try fingerprint(bench, "copy", "ts-copy", "xact-copy")
        let place = bench.folder.path("ts")
        for (options, word) in [
            ([maps[1]], "--tablespace-map=ts1=PATH"), ([maps[1], "--force"], "--tablespace-map=ts1=PATH"),
            ([maps[0], "--link-all"], "--link-map=pg_xact=PATH"),
        ] {
            let outcome = try bench.attempt(base + options + ["--delta", "restore"])
            #expect(outcome.status == 40, "\(outcome)")
            #expect(outcome.text.contains(word), "\(outcome)")
            #expect(try fingerprint(bench, "ts", "xact", "data") == before)
            #expect(try fingerprint(bench, "copy", "ts-copy", "xact-copy") == copied)
        }
        // A tablespace that came after the copy was made has no link there at all.
        func moveLink(_ from: String, _ to: String) throws {
            try run(["sh", "-c", "mv \"$0\"/* \"$1\"", bench.folder.path(from), bench.folder.path(to)])
        }
        try bench.folder.makeDirectory("aside")
        try moveLink("copy/pg_tblspc", "aside")
        let outcome = try bench.attempt(base + [maps[1], "--delta", "restore"])
        #expect(outcome.status == 40 && outcome.text.contains("'\(place)'"), "\(outcome)")
        #expect(try fingerprint(bench, "ts", "xact", "data") == before)

        try moveLink("aside", "copy/pg_tblspc")
        try bench.run(base + maps + ["--delta", "restore"])
        try bench.run("--type=immediate", "--link-all", "--delta", "restore")
    }

    /// The folder of another cluster: pg1-path was wrong, or the stanza.
    @Test func overAnotherCluster() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        try cluster.stop()
        let other = try Cluster.make(.version(15), in: bench.folder, name: "other", fresh: true)
        let before = try fingerprint(bench, "other")
        let refused = try bench.attempt("--pg1-path=\(other.data)", "--delta", "restore")
        #expect(refused.status == 51, "\(refused)")
        #expect(refused.text.contains("system identifier") && refused.text.contains("--force"), "\(refused)")
        #expect(try fingerprint(bench, "other") == before)
        try bench.run("--pg1-path=\(other.data)", "--delta", "--force", "restore")
        try bench.run("--delta", "restore")
    }
}
