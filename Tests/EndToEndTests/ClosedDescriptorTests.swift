import EndToEndSupport
import Testing

/// Started with standard descriptors that are closed: no file and no connection gets their numbers, and so no line of the log.
@Suite(.servers)
struct ClosedDescriptorTests {
    @Test(arguments: ["1>&-", "2>&-", "0<&- 1>&- 2>&-"])
    func onlineBackup(_ closed: String) throws {
        let bench = try Workbench(Format(.zst))
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        let options = ["--log-level-console=detail", "--log-level-stderr=detail", "--type=full", "backup"]
        let outcome = try attempt(["sh", "-c", "exec \"$@\" \(closed)", "sh"] + bench.command(options), in: bench.folder.path)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.labels().count == 1)
        try cluster.archiveCurrentSegment()
    }
}
