// A second store that speaks S3, by other people than the first: what passes with one may lean on a habit of it.

import Foundation

/// moto, which keeps objects in memory. Started at the first use, ended with the process.
public final class MotoStore: Sendable {
    public static let shared = Result { try MotoStore() }

    public let port: Int
    nonisolated(unsafe) private let server: Running // ended at exit

    private init() throws {
        let modules = try run([Checkout.path("scripts/get-moto")], within: 300, asRoot: true).output.trimmingCharacters(in: .newlines)
        let port = try FreePorts.take(1)[0]
        self.port = port
        server = try Running(
            ["python3", "-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"],
            environment: ["PYTHONPATH": modules, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"], asRoot: true)
        let process = server.process
        MotoStore.process = process
        atexit { kill(-MotoStore.process, SIGKILL) }
        try eventually("moto answers", within: 60) {
            try attempt(["curl", "-sf", "-X", "PUT", "http://127.0.0.1:\(port)/\(ObjectStore.bucket)"]).status == 0 ? true : nil
        }
    }

    nonisolated(unsafe) private static var process: Int32 = 0 // written once, before anybody can exit

    public func options(path: String) -> [(String, String)] {
        [
            ("repo1-type", "s3"), ("repo1-path", path), ("repo1-s3-bucket", ObjectStore.bucket), ("repo1-s3-region", ObjectStore.region),
            ("repo1-s3-uri-style", "path"), ("repo1-s3-key", ObjectStore.key), ("repo1-s3-key-secret", ObjectStore.secret),
            ("repo1-s3-endpoint", "http://127.0.0.1:\(port)"),
        ]
    }
}
