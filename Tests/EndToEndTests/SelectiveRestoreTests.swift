import EndToEndSupport
import Foundation
import Testing

/// Some databases come back, the others are empty and can be dropped.
@Suite(.servers)
struct SelectiveRestoreTests {
    @Test(arguments: ["include", "exclude", "delta"])
    func others(_ kind: String) throws {
        let bench = try Workbench(Format(.zst), options: kind == "delta" ? ["repo1-bundle": "y", "repo1-block": "y"] : [:])
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        let space = try bench.folder.makeDirectory("space")
        try cluster.query("CREATE TABLESPACE space LOCATION '\(space)'")
        for name in ["wanted", "other"] {
            try cluster.query("CREATE DATABASE \(name)")
            let fill =
                "CREATE TABLE item TABLESPACE space AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 20000) n; CREATE TABLE near AS SELECT * FROM item"
            try run(["/usr/bin/psql", "-qX", "-h", cluster.socket, "-U", "postgres", "-d", name, "-c", fill])
        }
        let other = try cluster.query("SELECT oid FROM pg_database WHERE datname = 'other'")
        try bench.run("--type=full", "backup")
        try cluster.archiveCurrentSegment()
        try cluster.stop()
        var options = kind == "exclude" ? ["--db-exclude=other"] : ["--db-include=wanted"]
        if kind == "delta" {
            options.append("--delta")
        } else {
            try run(["sh", "-ec", "rm -rf \"$0\" \"$1\"; mkdir -m 700 \"$0\" \"$1\"", bench.data, space])
        }
        for (wrong, status, words) in [
            (["--db-include=no such"], 80, "no such"), (["--db-include=postgres"], 81, "'postgres' is a system database"),
            (["--db-include=template1"], 81, "'template1' is a system database"),
            (["--db-include=template0"], 81, "take it out of --db-include"),
            (["--db-include=wanted", "--db-exclude=wanted"], 81, "wanted"), (["--db-exclude=4711"], 80, "4711"),
        ] as [([String], Int32, String)] {
            let refused = try bench.attempt((kind == "delta" ? ["--delta"] : []) + wrong + ["restore"])
            #expect(refused.status == status && refused.text.contains(words), "\(refused)")
        }
        try bench.run(options + ["--type=immediate", "--target-action=promote", "restore"])
        // They have their sizes, and no blocks.
        for folder in ["\(bench.data)/base/\(other)", "\(space)/"] {
            let script = "find \"$0\" -path \"*/$1/*\" -type f ! -name PG_VERSION -size +0 -printf '%b\\n' | sort -u"
            #expect(try run(["sh", "-ec", script, folder, other]).output == "0\n")
        }
        try cluster.start(["archive_mode=off"])
        try cluster.waitForPromotion()
        func ask(_ database: String, _ sql: String) throws -> String {
            try run(["/usr/bin/psql", "-qXAt", "-h", cluster.socket, "-U", "postgres", "-d", database, "-c", sql]).output
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
        #expect(try ask("wanted", "SELECT count(*), count(DISTINCT text) FROM item") == "20000|20000")
        #expect(try ask("wanted", "SELECT count(*) FROM near") == "20000")
        try run(["/usr/bin/psql", "-qX", "-h", cluster.socket, "-U", "postgres", "-d", "postgres", "-c", "DROP DATABASE other"])
    }
}
