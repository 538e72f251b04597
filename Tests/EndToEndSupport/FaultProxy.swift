// A proxy in front of the object store that fails as a test tells it to (Tests/tools/fault-proxy, which lists the faults).

import Foundation

public final class FaultProxy: Sendable {
    public let port: Int
    nonisolated(unsafe) private let process: Running // used by one test

    public struct Request: Decodable, Sendable {
        public let method: String
        public let path: String
        public let status: String
        public let range: String
    }

    public init(_ store: ObjectStore) throws {
        port = try FreePorts.take(1)[0]
        process = try Running(["python3", Checkout.path("Tests/tools/fault-proxy"), "\(store.port)", "\(port)"], asRoot: true)
        try eventually("the proxy answers") { try? log().isEmpty }
    }

    deinit { process.signal(SIGKILL) }

    /// Each rule a JSON object.
    public func set(_ rules: String...) throws {
        let rules = "[\(rules.joined(separator: ","))]"
        try run(["curl", "-sS", "--fail", "--data-binary", rules, "http://127.0.0.1:\(port)/__rules"])
    }

    /// The requests since the rules were set.
    public func log() throws -> [Request] {
        try JSONDecoder().decode(
            [Request].self, from: Data(try run(["curl", "-sS", "--fail", "http://127.0.0.1:\(port)/__log"]).output.utf8))
    }
}
