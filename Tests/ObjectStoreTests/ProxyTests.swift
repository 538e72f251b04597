import EndToEndSupport
import Foundation
import Testing

/// A store that is reached through the tunnel of a proxy (`https_proxy`): the proxy's own answer is no answer of the store.
@Suite(.servers) struct ProxyTests {
    @Test func backupAndArchive() throws {
        let bench = try Workbench(Format(.zst), on: .s3TLS)
        _ = try Cluster.make(.version(15), in: bench.folder, name: "data")
        let port = try FreePorts.take(1)[0]
        let log = bench.folder.path("tunnels")
        let proxy = try Running(["python3", Checkout.path("Tests/tools/connect-proxy"), "\(port)", log], asRoot: true)
        try eventually("the proxy answers") {
            try attempt(["curl", "-sS", "http://127.0.0.1:\(port)/"]).status == 0 ? true : nil
        }
        func run(_ arguments: String...) throws -> Outcome {
            let outcome = try attempt(
                bench.command(arguments), environment: ["https_proxy": "http://127.0.0.1:\(port)"], in: bench.data)
            guard outcome.status == 0 else { throw Failure("\(outcome)") }
            return outcome
        }
        _ = try run("--no-online", "stanza-create")
        _ = try run("--no-online", "--type=full", "backup")
        #expect(try run("info").text.contains("full backup: "))
        _ = try run("--pg1-path=\(try bench.folder.makeDirectory("restored"))", "--type=none", "restore")
        let tunnels = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(tunnels.count >= 4 && Set(tunnels).count == 1, "\(tunnels)")
        withExtendedLifetime(proxy) {}
    }
}
