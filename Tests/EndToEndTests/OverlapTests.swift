import EndToEndSupport
import Foundation
import Testing

/// A repository in a cluster, or around it: one restore, and both are gone. It is refused before anything is touched.
@Suite(.servers)
struct OverlapTests {
    /// Options of the command line win over the configuration, whose repository is apart.
    @Test func repositoryInTheCluster() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        let folder = bench.folder.path
        for name in ["space", "hba"] { try bench.folder.makeDirectory(name) }
        try cluster.query("CREATE TABLESPACE space LOCATION '\(folder)/space'")
        try run(
            [
                "sh", "-c",
                "mv data/pg_hba.conf hba/; ln -s ../hba/pg_hba.conf data/; ln -s data to-data; ln -s space/PG_15_202209061 to-space",
            ], in: folder)
        let places = [
            "data", "data/backups", "data/backups/deep/er", "to-data", "to-data/new", "data/../data/x", "", "hba",
            "space/PG_15_202209061", "space/PG_15_202209061/backups", "space", "to-space/x",
        ]
        let listing = ["sh", "-c", "find . -path ./lock -prune -o -path ./log -prune -o -name pg_wal -prune -o -printf '%p %s\\n' | sort"]
        let before = try run(listing, in: folder).output
        for place in places {
            for command in [["stanza-create"], ["check"], ["--type=full", "backup"]] {
                let outcome = try bench.attempt(["--repo1-path=\(folder)/\(place)"] + command)
                // Without the stanza there, check and backup end before they look at the places.
                #expect(outcome.status == 27 || command != ["stanza-create"] && outcome.status == 55, "\(outcome)")
                if outcome.status == 27 { #expect(outcome.text.contains("of the cluster"), "\(outcome)") }
            }
        }
        // A second repository is no better, and one that is not read at all neither.
        let second = try bench.attempt("--repo2-path=\(folder)/data/second", "--repo=1", "--type=full", "backup")
        #expect(second.status == 27 && second.text.contains("repo2-path"), "\(second)")
        #expect(try bench.attempt("--repo2-path=\(folder)/data/second", "check").status == 27)
        #expect(try run(listing, in: folder).output == before)
        // Beside the folder of the cluster in the place of a tablespace is room for everybody.
        try bench.run("--repo1-path=\(folder)/space/backups", "stanza-create")
        try cluster.stop()
    }

    /// What was made by another program, or before the cluster moved: restore does not clean the place that it reads from.
    @Test func restoreOverTheRepository() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        try bench.folder.makeDirectory("space")
        try cluster.query("CREATE TABLESPACE space LOCATION '\(bench.folder.path("space"))'")
        try cluster.query("CREATE TABLE more TABLESPACE space AS SELECT 1 AS id")
        try bench.run("--type=full", "backup")
        try cluster.stop()
        let folder = bench.folder.path
        try run(["sh", "-c", "mv repository data/backups; ln -s data/backups to-repository"], in: folder)
        let listing = ["sh", "-c", "find data -type f | sort | xargs -d '\\n' sha1sum"]
        let before = try run(listing, in: folder).output
        for path in ["data/backups", "to-repository"] {
            for option in ["--delta", "--force"] {
                let outcome = try bench.attempt("--repo1-path=\(folder)/\(path)", option, "restore")
                #expect(outcome.status == 27 && outcome.text.contains("of the cluster"), "\(outcome)")
            }
        }
        #expect(try run(listing, in: folder).output == before)
        // Places that the restore is told of.
        try run(["sh", "-c", "mv data/backups repository; rm -rf data space/*; mkdir -m 700 data"], in: folder)
        for options in [
            ["--tablespace-map=space=\(folder)/repository"], ["--tablespace-map-all=\(folder)/repository/backup"],
            ["--link-map=pg_xact=\(folder)/repository/archive/x"], ["--link-map=postgresql.conf=\(folder)/repository/p.conf"],
            ["--link-map=pg_xact=\(folder)"],
        ] {
            let outcome = try bench.attempt(options + ["restore"])
            #expect(outcome.status == 27 || outcome.status == 70 && options[0].hasSuffix(folder), "\(outcome)")
        }
        #expect(try run(["ls", "-A", "data"], in: folder).output.isEmpty)
        try bench.run("restore")
    }
}
