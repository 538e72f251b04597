import EndToEndSupport
import Glibc
import Testing

/// restore as root: whoever owns the cluster, or writes the manifest, must not make root change anything that is not the cluster's.
@Suite(.servers, .enabled(if: geteuid() == 0))
struct RootRestoreTests {
    private func restore(_ bench: Workbench, _ name: String, _ options: String...) throws -> Outcome {
        let base = ["--pg1-path=\(bench.folder.path(name))", "--type=immediate", "--log-level-console=detail"]
        return try attempt(bench.command(base + options + ["restore"]), in: bench.folder.path, asRoot: true)
    }

    /// Name, owner and mode of what is below some folders.
    private func owners(_ bench: Workbench, _ names: String...) throws -> [String] {
        try run(["sh", "-c", "find \"$@\" -printf '%p %u:%g %m %l\n' | sort", "sh"] + names, in: bench.folder.path, asRoot: true).output
            .split(separator: "\n").map(String.init)
    }

    private func root(_ bench: Workbench, _ script: String) throws { try run(["sh", "-ec", script], in: bench.folder.path, asRoot: true) }

    @Test func othersFoldersStayTheirs() throws {
        let bench = try Workbench()
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        try bench.folder.makeDirectory("ts")
        try cluster.query("CREATE TABLESPACE ts1 LOCATION '\(bench.folder.path("ts"))'")
        try cluster.query("CREATE TABLE item (n int) TABLESPACE ts1; INSERT INTO item SELECT generate_series(1, 500)")
        try bench.run("--type=full", "backup")
        try cluster.archiveCurrentSegment()
        try cluster.stop()

        // Folders of root: what is made in them belongs to the cluster, they themselves stay as they are.
        try root(
            bench,
            "mkdir -m 755 place tsplace victim; mkdir -m 755 victim/sub; touch victim/file victim/sub/file tsplace/other; mkdir empty")
        let before = try owners(bench, "victim")
        let map = "--tablespace-map=ts1=\(bench.folder.path("tsplace"))"
        let first = try restore(bench, "place/above/copy", map)
        #expect(first.status == 0 && first.text.contains("files are worked on as user 'postgres'"), "\(first)")
        let made = try owners(bench, "place", "tsplace")
        #expect(made.contains("place root:root 755 ") && made.contains("tsplace root:root 755 "), "\(made)")
        #expect(made.contains("place/above postgres:postgres 750 ") && made.contains("place/above/copy postgres:postgres 700 "), "\(made)")
        let others = ["place ", "tsplace ", "tsplace/other "]
        #expect(
            made.filter { line in !others.contains { line.hasPrefix($0) } }.allSatisfy { $0.contains(" postgres:postgres ") }, "\(made)")
        let copy = try Cluster(.version(15), in: bench.folder, name: "place/above/copy")
        try copy.start()
        #expect(try copy.query("SELECT count(*) FROM item") == "500")
        try copy.stop()

        // An empty folder of root is taken over, one of somebody else that is in use is not.
        let map2 = "--tablespace-map=ts1=\(bench.folder.path("place/ts2"))"
        let second = try restore(bench, "empty", map2)
        #expect(second.status == 0, "\(second)")
        #expect(try owners(bench, "empty", "place/ts2").allSatisfy { $0.contains(" postgres:postgres ") })
        #expect(try owners(bench, "empty").contains("empty postgres:postgres 700 "))
        try root(bench, "mkdir foreign; cp empty/PG_VERSION foreign; chown -R nobody: foreign")
        let foreign = try owners(bench, "foreign")
        for option in ["--delta", "--force", "--no-delta"] {
            let outcome = try restore(bench, "foreign", option)
            #expect(outcome.status == 53 && outcome.text.contains("'nobody'"), "\(outcome)")
            #expect(try owners(bench, "foreign") == foreign)
        }

        // The spool, and a folder of the cluster, by way of links that the cluster's owner made.
        try root(bench, "mkdir -p -m 755 spool/archive; ln -s ../../victim spool/archive/demo; chown -hR postgres: spool")
        try run(["sh", "-ec", "rm -r empty/pg_xact; ln -s ../victim empty/pg_xact"], in: bench.folder.path)
        let spool = "--spool-path=\(bench.folder.path("spool"))"
        let linked = try restore(bench, "empty", map2, "--delta", spool)
        #expect(linked.status == 0 && linked.text.contains("the spool of stanza 'demo' is left as it is"), "\(linked)")
        #expect(try owners(bench, "victim") == before)
        // A folder that the manifest, or its owner, names is not given away.
        for name in ["victim", "victim/sub"] {
            let outcome = try restore(bench, "empty", map2, "--force", "--link-map=pg_xact=\(bench.folder.path(name))")
            #expect(outcome.status != 0, "\(outcome)")
            #expect(try owners(bench, "victim") == before)
        }
    }

    /// Then root goes on as root; a plan leaves the folder to root that the restore gives away.
    @Test func repositoryIsForRootOnly() throws {
        let bench = try GoldenTiny.unpack("real-A")
        let map = "--tablespace-map=ts1=\(bench.folder.path("ts"))"
        try root(bench, "mkdir -m 755 empty; chown -R root: repository; chmod 700 repository/backup/demo/*/")
        let before = try owners(bench, ".")
        let plan = try restore(bench, "empty", map, "--plan")
        #expect(plan.status == 0 && plan.output.hasPrefix("backup: "), "\(plan)")
        #expect(try owners(bench, ".") == before)
        let outcome = try restore(bench, "empty", map)
        #expect(outcome.status == 0 && outcome.text.contains("files are worked on as root, because user 'postgres'"), "\(outcome)")
        #expect(try owners(bench, "empty").allSatisfy { $0.contains(" postgres:postgres ") })
    }

    /// Folders and files that their owner may not even read are set right.
    @Test func modesAreSetRight() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        try cluster.archiveCurrentSegment()
        try cluster.stop()
        let modes = "find data -printf '%p %m\n' | grep -v 'backup_label\\|signal\\|pg_wal/\\|postmaster\\|internal' | sort"
        func listed() throws -> String { try run(["sh", "-c", modes], in: bench.folder.path).output }
        try bench.run("--delta", "--type=none", "restore")
        let before = try listed()
        for option in ["--delta", "--force"] {
            try run(
                [
                    "sh", "-ec",
                    "mkdir -p data/more/inner; touch data/more/inner/x; chmod 0 data/PG_VERSION data/more/inner; chmod 500 data/more data/base/1; chmod 0 data/global",
                ],
                in: bench.folder.path)
            let outcome = try bench.attempt(option, "--type=none", "restore")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try listed() == before)
        }

        // At the top of a mount there is a folder that nobody but root may look into.
        try root(bench, "rm -rf data/*; mkdir -m 700 data/lost+found")
        for option in ["--no-delta", "--delta"] {
            let outcome = try bench.attempt(option, "--type=none", "restore")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try owners(bench, "data/lost+found") == ["data/lost+found root:root 700 "])
        }
        // What cannot fit is refused before anything is changed.
        try root(bench, "mkdir small")
        let mount = try attempt(
            ["mount", "-t", "tmpfs", "-o", "size=4m,uid=postgres", "none", "small"], in: bench.folder.path, asRoot: true)
        guard mount.status == 0 else {
            return print("a restore that cannot fit is not tried, as in a container nothing can be mounted: \(mount)")
        }
        defer { _ = try? attempt(["umount", "small"], in: bench.folder.path, asRoot: true) }
        let outcome = try bench.attempt("--pg1-path=\(bench.folder.path("small"))", "--type=none", "restore")
        #expect(outcome.status == 64 && outcome.text.contains("are needed on its file system"), "\(outcome)")
        #expect(try run(["ls", "-A", "small"], in: bench.folder.path).output.isEmpty)
    }
}
