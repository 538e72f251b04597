// Programs that are asked for keys and that fail, hang or print something else.

import EndToEndSupport
import Foundation
import Testing

@Suite struct KeyProgramTests {
    /// A workbench whose keys come from a shell that runs `script`.
    private func bench(_ script: String, options: [(String, String)] = []) throws -> KeyBench {
        try KeyBench(
            KeySource(
                type: "process", service: "process",
                options: { services in
                    ["/bin/sh", "-c", script.replacingOccurrences(of: "KEYS", with: "curl -s \(services.origin)/process"), "sh"].map {
                        ("repo1-s3-process-cmd", $0)
                    } + options
                }))
    }

    struct Failing: Sendable, CustomTestStringConvertible {
        let script: String
        let text: String
        var testDescription: String { script }
    }

    @Test(arguments: [
        Failing(script: "exit 7", text: "'/bin/sh' ended with status 7"),
        Failing(script: "kill -9 $$", text: "'/bin/sh' ended with signal 9"),
        // What it printed before is not to be trusted, and not to be shown.
        Failing(script: "KEYS; exit 1", text: "'/bin/sh' ended with status 1"),
        Failing(script: "echo issued/'sec'ret", text: "the answer holds no keys"),
        Failing(script: "exit 0", text: "the answer holds no keys"),
        Failing(script: "yes issued/'sec'ret", text: "'/bin/sh' prints too much"),
        Failing(script: "head -c 999 /dev/urandom", text: "the answer holds no keys"),
    ]) func failing(_ failing: Failing) throws {
        let outcome = try bench(failing.script).attempt("--no-online", "stanza-create")
        #expect(outcome.status == (failing.text.hasPrefix("the answer") ? 29 : 102), "\(outcome)")
        #expect(outcome.text.contains("unable to get the keys of the store from the program '/bin/sh': \(failing.text)"), "\(outcome)")
        #expect(outcome.seconds < 40)
    }

    /// It is ended after io-timeout, also when it has given its keys and closed its output, or has started others.
    @Test(arguments: ["exec sleep 86399", "sleep 86399", "KEYS; exec >&-; exec sleep 86399", "sleep 86399 & exit 0"])
    func hanging(_ script: String) throws {
        let bench = try bench("echo $$ >program.pid; \(script)", options: [("io-timeout", "2")])
        let outcome = try bench.attempt("--no-online", "stanza-create", within: 30)
        #expect(outcome.status == 102 && outcome.text.contains("'/bin/sh' does not end within 2"), "\(outcome)")
        #expect(outcome.seconds < 40)
        // Nothing that it started stays behind.
        let group = try String(contentsOfFile: bench.bench.folder.path("program.pid"), encoding: .utf8).filter(\.isNumber)
        try eventually("the group of the program is gone", within: 10) { kill(-pid_t(group)!, 0) != 0 ? true : nil }
    }

    @Test func missing() throws {
        let bench = try KeyBench(
            KeySource(type: "process", service: "process", options: { _ in [("repo1-s3-process-cmd", "/no/such/program")] }))
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status == 102 && outcome.text.contains("unable to run '/no/such/program': [2] No such file"), "\(outcome)")
    }

    /// Arguments arrive as they are, and nothing else does.
    @Test func arguments() throws {
        let bench = try KeyBench(
            KeySource(
                type: "process", service: "process",
                options: { services in
                    [
                        "/bin/sh", "-c", "tr '\\0' '\\n' </proc/$$/cmdline >seen; exec curl -s \"$1\"", "sh", "\(services.origin)/process",
                        "a b", "$c",
                    ]
                    .map { ("repo1-s3-process-cmd", $0) }
                }))
        try bench.succeed("info")
        let seen = try String(contentsOfFile: bench.bench.folder.path("seen"), encoding: .utf8)
        #expect(seen.hasSuffix("\nsh\n\(bench.services.origin)/process\na b\n$c\n"))
        try expectNoSecrets(in: seen, "the command line of the program")
    }

    /// A run that is asked to end does not wait for the program.
    @Test func cancelled() throws {
        let bench = try bench("echo $$ >program.pid; exec sleep 86399")
        let running = try Running(bench.bench.command(["--no-online", "stanza-create"]), in: bench.bench.folder.path)
        try eventually("the program runs") {
            FileManager.default.fileExists(atPath: bench.bench.folder.path("program.pid")) ? true : nil
        }
        kill(running.process, SIGTERM)
        #expect(try running.wait(within: 10).status == 63)
    }
}
