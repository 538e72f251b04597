import EndToEndSupport
import Testing

/// Folders above those of a cluster that its account may walk through but not read, as hosting machines have them.
@Suite(.servers)
struct ClosedFolderTests {
    @Test func restoreAndRecover() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        let segment = try cluster.archiveCurrentSegment()
        let rows = try cluster.fingerprint()
        try cluster.stop()
        let place = try bench.folder.makeDirectory("closed/place")
        let linked = try bench.folder.makeDirectory("closed/linked")
        try run(["chmod", "311", bench.folder.path("closed")])
        defer { _ = try? run(["chmod", "700", bench.folder.path("closed")]) }
        #expect(try attempt(["ls", bench.folder.path("closed")]).status != 0)

        let restored = try Cluster(.version(15), in: bench.folder, name: "closed/place/data")
        try bench.run(
            "--pg1-path=\(restored.data)", "--link-map=pg_hba.conf=\(linked)/pg_hba.conf", "--link-map=pg_wal=\(linked)/wal", "restore")
        let get = try bench.attempt(
            "--pg1-path=\(restored.data)", "archive-get", segment, "pg_wal/RECOVERYXLOG", in: restored.data)
        #expect(get.status == 0, "\(get)")
        try restored.start(["archive_mode=off"])
        try restored.waitForPromotion()
        #expect(try restored.fingerprint() == rows)
        try restored.stop()
        #expect(try attempt(["test", "-d", place]).status == 0)
    }
}
