// The services that give keys, and the gate before the object store that lets in who has them: Tests/tools/key-services.

import Foundation

public final class KeyServices {
    public let port: Int
    private let server: Running

    /// A request as it arrived.
    public struct Request: Decodable, Sendable {
        public let service: String
        public let method: String
        public let path: String
        public let status: String
        /// Names in lower case.
        public let headers: [String: String]
        public let body: String
    }

    /// `state`: what shall be different from the usual, as JSON.
    public init(_ state: String = "{}") throws {
        port = try FreePorts.take(1)[0]
        let store = try ObjectStore.shared.get()
        server = try Running(
            [Checkout.path("Tests/tools/key-services"), "\(port)", "\(store.port)", ObjectStore.key, ObjectStore.secret], asRoot: true)
        try eventually("the key services answer") { try attempt(["curl", "-s", "\(origin)/__log"]).status == 0 ? true : nil }
        try tell(state)
    }

    public var origin: String { "http://127.0.0.1:\(port)" }

    /// From now on it is so; the log begins anew.
    public func tell(_ state: String) throws {
        try run(["curl", "-sS", "--fail-with-body", "-X", "POST", "--data-binary", state, "\(origin)/__state"])
    }

    /// What came since the last `tell`.
    public func requests(_ service: String? = nil) throws -> [Request] {
        let text = try run(["curl", "-sS", "\(origin)/__log"]).output
        return try JSONDecoder().decode([Request].self, from: Data(text.utf8)).filter { service == nil || $0.service == service }
    }

    /// A repository behind the gate. `keys`: the options that say where keys come from, and others that are different.
    public func repository(_ keys: [(String, String)]) -> RepositoryKind {
        let origin = origin
        return RepositoryKind(description: "s3 behind key services") { folder, name in
            let replaced = Set(["repo1-s3-key", "repo1-s3-key-secret", "repo1-s3-endpoint"] + keys.map(\.0))
            let place = try RepositoryKind.s3.place(folder, name)
            let kept = place.options.filter { !replaced.contains($0.0) }
            return RepositoryKind.Place(options: kept + [("repo1-s3-endpoint", origin)] + keys, files: place.files)
        }
    }
}
