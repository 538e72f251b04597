import EndToEndSupport
import Foundation
import Testing

/// Tablespaces and links: what lies outside the data folder comes back where it was, or where the user wants it.
@Suite(.servers)
struct PlacesTests {
    /// A cluster with a tablespace, its WAL in a linked folder and one configuration file behind a link; backed up and lost.
    struct Scene {
        let bench: Workbench
        let data: String
        let rows: String
        var space: String { bench.folder.path("space") }
        var wal: String { bench.folder.path("wal") }
        var extra: String { bench.folder.path("conf/extra.conf") }

        init(_ version: Int = 15, on kind: RepositoryKind = .posix) throws {
            bench = try Workbench(on: kind)
            data = bench.data
            let cluster = try Cluster.make(.version(version), in: bench.folder, name: "data")
            for name in ["space", "conf"] { try bench.folder.makeDirectory(name) }
            try run(["mv", "\(data)/pg_wal", bench.folder.path("wal")])
            try run(["ln", "-s", bench.folder.path("wal"), "\(data)/pg_wal"])
            try run(["sh", "-c", "echo \"work_mem = '7MB'\" >\"$0\"", bench.folder.path("conf/extra.conf")])
            try run(["ln", "-s", bench.folder.path("conf/extra.conf"), "\(data)/extra.conf"])
            try cluster.configure([
                "include": "'extra.conf'", "archive_mode": "on", "archive_command": bench.archiveCommand(),
            ])
            try cluster.start()
            try bench.run("stanza-create")
            try cluster.query("CREATE TABLESPACE space LOCATION '\(bench.folder.path("space"))'")
            try cluster.query("CREATE TABLE item TABLESPACE space AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 3000) n")
            try cluster.query("CREATE TABLE plain AS SELECT 1 AS id")
            try bench.run("--type=full", "backup")
            try cluster.query("INSERT INTO item VALUES (0, 'after the backup')")
            rows = try cluster.fingerprint()
            try cluster.stop()
            try run(["rm", "-rf", data, bench.folder.path("space"), bench.folder.path("wal"), bench.folder.path("conf")])
        }

        func link(_ name: String) throws -> String {
            try attempt(["readlink", "\(data)/\(name)"]).output.trimmingCharacters(in: .newlines)
        }

        /// The tablespace's link, whatever its number.
        func tablespace() throws -> String {
            try run(["sh", "-c", "readlink \"$0\"/pg_tblspc/*", data]).output.trimmingCharacters(in: .newlines)
        }

        func check(_ cluster: Cluster) throws {
            try cluster.start()
            try cluster.waitForPromotion()
            #expect(try cluster.fingerprint() == rows)
            #expect(try cluster.query("SHOW work_mem") == "7MB")
        }
    }

    @Test(
        arguments: [(14, .posix), (15, .posix), (17, .posix)] + Feature.placesAsTheyWere.others.map { (15, $0) } as [(Int, RepositoryKind)])
    func whereTheyWere(_ version: Int, _ kind: RepositoryKind) throws {
        let scene = try Scene(version, on: kind)
        let restored = try scene.bench.restore("data", "--link-all", version: version)
        #expect(try scene.link("pg_wal") == scene.wal)
        #expect(try scene.link("extra.conf") == scene.extra)
        #expect(try scene.tablespace() == scene.space)
        try scene.check(restored)
    }

    @Test func linksAreOrdinaryFilesUnlessAskedFor() throws {
        let scene = try Scene()
        let restored = try scene.bench.restore()
        #expect(try scene.link("pg_wal") == "")
        #expect(try scene.link("extra.conf") == "")
        #expect(try attempt(["test", "-e", scene.wal]).status == 1)
        #expect(try scene.tablespace() == scene.space)
        try scene.check(restored)
    }

    @Test func elsewhere() throws {
        let scene = try Scene()
        let folder = scene.bench.folder
        let restored = try scene.bench.restore(
            "data", "--tablespace-map=space=\(folder.path("other-space"))", "--link-map=pg_wal=\(folder.path("other-wal"))",
            "--link-map=extra.conf=\(folder.path("other.conf"))")
        #expect(try scene.tablespace() == folder.path("other-space"))
        #expect(try scene.link("pg_wal") == folder.path("other-wal"))
        #expect(try scene.link("extra.conf") == folder.path("other.conf"))
        #expect(try attempt(["test", "-e", scene.space]).status == 1)
        try scene.check(restored)
    }

    @Test func allTablespacesElsewhere() throws {
        let scene = try Scene()
        let restored = try scene.bench.restore("data", "--tablespace-map-all=\(scene.bench.folder.path("all"))")
        #expect(try scene.tablespace() == scene.bench.folder.path("all/space"))
        try scene.check(restored)
    }

    /// Over what is left of the old cluster: files that are right stay, files that are wrong or too many do not.
    @Test(arguments: Feature.placesByDelta.kinds)
    func delta(_ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
        let cluster = try bench.clusterWithBackup()
        let table = try cluster.query("SELECT pg_relation_filepath('item')")
        let rows = try cluster.fingerprint()
        try cluster.archiveCurrentSegment()
        try cluster.stop()
        try run([
            "sh", "-c", "printf damage | dd of=\"$0/$1\" bs=1 seek=5000 conv=notrunc; touch \"$0/base/stray\"; rm \"$0/global/1262\"",
            cluster.data, table,
        ])
        #expect(try bench.attempt("restore").status == 40)
        let kept = try run(["stat", "-c", "%i", "\(cluster.data)/base/1/1259"]).output
        try bench.run("--delta", "restore")
        #expect(try run(["stat", "-c", "%i", "\(cluster.data)/base/1/1259"]).output == kept)
        #expect(try attempt(["test", "-e", "\(cluster.data)/base/stray"]).status == 1)
        try cluster.start()
        try cluster.waitForPromotion()
        #expect(try cluster.fingerprint() == rows)
    }
}
