import EndToEndSupport
import Testing

/// Called `pgbackrest` the program is that for whoever calls it.
@Suite struct PeersNameTests {
    private func bench() throws -> (Workbench, String) {
        let bench = try Workbench()
        let name = bench.folder.path("pgbackrest")
        try run(["ln", "-s", bench.tool.path, name])
        return (bench, name)
    }

    /// What monitoring compares; with `--config`, which the peer refuses and a client gives.
    @Test func version() throws {
        let (bench, name) = try bench()
        for (arguments, output) in [
            (["version"], "pgBackRest 2.60.0\n"), (["version", "--config=/etc/x.conf"], "pgBackRest 2.60.0\n"),
            (["--version"], "pgBackRest 2.60.0\n"), (["version", "--output", "num"], "2060000"),
        ] {
            let outcome = try attempt([name] + arguments, in: bench.folder.path)
            #expect(outcome.status == 0 && outcome.output == output && outcome.errors.isEmpty, "\(outcome)")
        }
        let verbose = try run([name, "version", "--verbose"], in: bench.folder.path).output
        #expect(verbose.contains("pgBackstop ") && verbose.contains("pgBackRest 2.60.0"))
        #expect(try run([name, "help"], in: bench.folder.path).output.hasPrefix("pgBackstop "))
        #expect(try run([bench.tool.path, "version"], in: bench.folder.path).output.hasPrefix("pgBackstop "))
    }

    /// The log says both names.
    @Test func log() throws {
        let (bench, name) = try bench()
        let command = [name] + bench.command(["--log-level-console=info", "archive-push", "%f"]).dropFirst()
        let outcome = try attempt(command, in: bench.folder.path)
        #expect(outcome.text.contains("archive-push command begin 2.60.0 (pgBackstop "), "\(outcome)")
    }

    /// clients.md: one line of JSON, and nothing else at the default levels.
    @Test func json() throws {
        let (bench, name) = try bench()
        let command = [name] + bench.command(["--output=json", "info"]).dropFirst()
        let outcome = try attempt(command, in: bench.folder.path)
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
        #expect(outcome.output.hasPrefix("[") && !outcome.output.dropLast().contains("\n"), "\(outcome)")
    }
}
