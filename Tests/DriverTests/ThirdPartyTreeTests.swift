import EndToEndSupport
import Testing

/// A third party's driver that keeps a file tree gets the links that a folder of this host gets: no driver's name decides it.
@Suite(.servers) struct ThirdPartyTreeTests {
    @Test(arguments: [true, false])
    func links(_ makesLinks: Bool) throws {
        let kind = RepositoryKind(description: "a third party's tree", peerReads: false) { folder, name in
            let path = try folder.makeDirectory(name, mode: "750")
            // Our own server speaks the protocol, and is a program like any other.
            let plugins = try folder.write(
                "plugins.conf", Drivers.plugins("tape = exec \(Tool.underTest.path) serve --repo1-path=\(path) --log-level-file=off"))
            return .folder(path, [("repo1-type", "tape"), ("repo1-path", path)], ["--plugins=\(plugins)"])
        }
        let bench = try Workbench(on: kind, options: makesLinks ? [:] : ["repo1-symlink": "n"])
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        let space = try bench.folder.makeDirectory("space")
        try cluster.query("CREATE TABLESPACE space LOCATION '\(space)'")
        try cluster.query("CREATE TABLE item TABLESPACE space AS SELECT n AS id FROM generate_series(1, 1000) n")
        let number = try cluster.query("SELECT oid FROM pg_tablespace WHERE spcname = 'space'")
        try bench.run("--type=full", "backup")
        let label = try #require(try bench.labels().first)
        let links = try run(["find", "\(bench.repository)/backup", "-type", "l", "-printf", "%P %l\n"]).output
        #expect(
            links.split(separator: "\n").sorted()
                == (makesLinks ? ["demo/\(label)/pg_data/pg_tblspc/\(number) ../../pg_tblspc/\(number)", "demo/latest \(label)"] : []))
        let rows = try cluster.fingerprint()
        try cluster.archiveCurrentSegment()
        try cluster.stop()
        try run(["rm", "-rf", cluster.data, space])
        let restored = try bench.restore()
        try restored.start()
        try restored.waitForPromotion()
        #expect(try restored.fingerprint() == rows)
    }
}
