import EndToEndSupport
import Testing

/// The live line goes to standard error, and only where it is wanted: here that is no terminal.
@Suite(.servers)
struct ProgressLineTests {
    @Test func asAskedFor() throws {
        let bench = try Workbench(Format(.lz4))
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        let backup = try bench.run("--type=full", "--progress=always", "backup")
        #expect(backup.errors.contains("\r"), "\(backup)")
        #expect(backup.errors.contains("% ") && backup.errors.contains("/s") && backup.errors.contains(" left"), "\(backup)")
        #expect(!backup.output.contains("\r"))
        for choice in ["auto", "never"] {
            #expect(try !bench.run("--type=full", "--progress=\(choice)", "backup").errors.contains("\r"))
        }
        try cluster.stop()
        try run(["rm", "-rf", cluster.data])
        let restore = try bench.run("--progress=always", "--type=none", "restore")
        #expect(restore.errors.contains("restore ") && restore.errors.contains("% "), "\(restore)")
    }
}
