// A real object store: one SeaweedFS for all tests of the process, over http and over https with an authority of its own.

import Foundation
import Synchronization

public final class ObjectStore: Sendable {
    public static let key = "AKPGBACKSTOPTEST"
    public static let secret = "secret/of+the/tests/only"
    public static let region = "us-east-1"
    public static let bucket = "backups"
    /// A bucket is also what requests for a host of its name below this one are about.
    public static let domain = "s3.example.com"

    /// Started at the first use, ended with the process.
    public static let shared = Result { try ObjectStore() }

    let folder: TemporaryFolder
    public let port: Int
    public let tlsPort: Int
    /// The certificate of the authority that signed the store's.
    public let authority: String
    private let ports: [Int]
    private let program: String
    // Replaced by `restart` only, which one test at a time may call.
    nonisolated(unsafe) private var server: Running?

    public init() throws {
        program = try run([Checkout.path("scripts/get-seaweedfs")], within: 300, asRoot: true).output.trimmingCharacters(in: .newlines)
        folder = try TemporaryFolder()
        // master, volume, filer, their gRPC twins, S3, its https and gRPC.
        ports = try FreePorts.take(9)
        port = ports[6]
        tlsPort = ports[7]
        authority = try Self.makeCertificates(folder)
        try folder.makeDirectory("store")
        try folder.write(
            "s3.json",
            """
            {"identities": [{"name": "tests", "credentials": [{"accessKey": "\(Self.key)", "secretKey": "\(Self.secret)"}],
              "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
            """)
        try start()
        ObjectStore.stopAtExit(self)
    }

    deinit { server?.signal(SIGKILL) }

    /// Starts it, also again with what it had, and waits until it takes objects.
    public func start() throws {
        server = try Running(
            [
                "sh", "-c", "exec \"$0\" \"$@\" >>store.log 2>&1", program, "-logtostderr=true", "-v=0", "server",
                "-dir=\(folder.path("store"))", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
                "-master.port=\(ports[0])", "-master.port.grpc=\(ports[3])", "-master.volumeSizeLimitMB=256", "-master.telemetry=false",
                "-volume.port=\(ports[1])", "-volume.port.grpc=\(ports[4])", "-volume.max=200", "-filer", "-filer.port=\(ports[2])",
                "-filer.port.grpc=\(ports[5])", "-s3", "-s3.port=\(port)", "-s3.port.https=\(tlsPort)", "-s3.port.grpc=\(ports[8])",
                "-s3.cert.file=\(folder.path("store.crt"))", "-s3.key.file=\(folder.path("store.key"))",
                "-s3.config=\(folder.path("s3.json"))", "-s3.iam=false", "-s3.domainName=\(Self.domain)",
                // These have ports of their own, which a second store on this machine could not have.
                "-s3.port.iceberg=0", "-s3.port.lance=0",
            ], in: folder.path)
        try makeBucket(Self.bucket)
        try ready("takes an object") { try request("PUT", "/\(Self.bucket)/.ready", body: "yes") }
    }

    /// Asks until the store does what it is asked; when it does not, its own log tells why.
    private func ready(_ what: String, _ question: () throws -> Outcome) throws {
        var last: Outcome?
        do {
            try eventually("the object store \(what)", within: 60) {
                if let ended = server?.poll() { throw Failure("the object store ended: \(ended)") }
                last = try question()
                return last?.status == 0 || last?.text.contains("BucketAlreadyOwnedByYou") == true ? true : nil
            }
        } catch {
            let log = (try? String(contentsOfFile: folder.path("store.log"), encoding: .utf8)) ?? ""
            throw Failure("\(error)\n\(last.map { "\($0)" } ?? "")\n\(log.suffix(3000))")
        }
    }

    public func stop() {
        server?.signal(SIGKILL)
        _ = try? server?.wait(within: 10)
        server = nil
    }

    /// One that is there already is as good.
    public func makeBucket(_ name: String, _ headers: [String] = []) throws {
        try ready("makes bucket \(name)") { try request("PUT", "/\(name)", headers) }
    }

    /// A bucket that keeps old versions of what is overwritten or removed.
    public func makeVersionedBucket(_ name: String) throws {
        try makeBucket(name)
        try run(
            signed(
                "PUT", "/\(name)?versioning=",
                body:
                    "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled</Status></VersioningConfiguration>"
            ))
    }

    /// Puts an object.
    public func put(_ path: String, _ text: String) throws { try run(signed("PUT", path, body: text)) }

    /// The names of the objects below a folder of a bucket, or those of all their versions.
    public func names(_ bucket: String, _ folder: String, versions: Bool = false) throws -> [String] {
        let prefix = "prefix=\("\(folder)/".replacingOccurrences(of: "/", with: "%2F"))"
        let query = versions ? "\(prefix)&versions=" : "list-type=2&\(prefix)"
        let page = try run(signed("GET", "/\(bucket)?\(query)")).output
        guard page.contains("<IsTruncated>false<") else { throw Failure("more than a page of \(bucket)/\(folder)") }
        return page.components(separatedBy: "<Key>").dropFirst().map { $0.components(separatedBy: "</Key>")[0] }
    }

    /// As it stands in the path of a request.
    public static func encoded(_ name: String) -> String {
        name.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~/"))) ?? name
    }

    /// A signed request by curl, a client that is not ours. Its standard output is the body, unless that goes `into` a file; what is sent
    /// is `body` or the content `from` a file.
    public func request(
        _ method: String, _ path: String, _ headers: [String] = [], body: String? = nil, from source: String? = nil,
        into target: String? = nil
    ) throws -> Outcome {
        try attempt(signed(method, path, headers, body: body ?? source.map { "@\($0)" }, into: target))
    }

    /// The command of such a request. A query is sorted, and has a `=` in every part.
    public func signed(
        _ method: String, _ path: String, _ headers: [String] = [], body: String? = nil, into target: String? = nil
    ) -> [String] {
        var command = ["curl", "-sS", "--fail-with-body", "-X", method, "--aws-sigv4", "aws:amz:\(Self.region):s3"]
        command += ["--user", "\(Self.key):\(Self.secret)"]
        // Debian's curl signs no content of its own accord, only what it is told here.
        for header in ["x-amz-content-sha256: UNSIGNED-PAYLOAD"] + headers { command += ["-H", header] }
        if let body { command += ["--data-binary", body] }
        if let target { command += ["-o", target] }
        return command + ["http://127.0.0.1:\(port)\(path)"]
    }

    /// The options of a repository in the shared bucket, below a path of its own.
    public func options(path: String, tls: Bool = false, port other: Int? = nil) -> [(String, String)] {
        [
            ("repo1-type", "s3"), ("repo1-path", path), ("repo1-s3-bucket", Self.bucket), ("repo1-s3-region", Self.region),
            ("repo1-s3-uri-style", "path"), ("repo1-s3-key", Self.key), ("repo1-s3-key-secret", Self.secret),
        ]
            + (tls
                ? [
                    ("repo1-s3-endpoint", "127.0.0.1"), ("repo1-storage-port", "\(other ?? tlsPort)"), ("repo1-storage-ca-file", authority),
                ] : [("repo1-s3-endpoint", "http://127.0.0.1:\(other ?? port)")])
    }

    /// An authority, and a certificate for this host signed by it.
    private static func makeCertificates(_ folder: TemporaryFolder) throws -> String {
        // The address twice: pgBackRest looks for it among the names only.
        try folder.write("names", "subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:127.0.0.1\n")
        let script = """
            openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=Test authority' -keyout authority.key -out authority.crt
            openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout store.key -out store.csr
            openssl x509 -req -in store.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 30 -extfile names -out store.crt
            """
        try run(["sh", "-e", "-c", script], in: folder.path)
        return folder.path("authority.crt")
    }

    nonisolated(unsafe) private static var running: [ObjectStore] = [] // filled while a static is made, read at exit
    private static func stopAtExit(_ store: ObjectStore) {
        if running.isEmpty { atexit { for store in ObjectStore.running { store.stop() } } }
        running.append(store)
    }
}

/// Ports of the loopback interface that nothing listens on.
public enum FreePorts {
    /// Given out before: who has them may not have bound them yet.
    private static let given = Mutex<Set<Int>>([])

    /// Below those that the system gives to outgoing connections: one of them might be taken before a server binds it.
    public static func take(_ count: Int) throws -> [Int] {
        // All are held until all are known, so they differ.
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        var ports: [Int] = []
        for _ in 0..<10_000 where ports.count < count {
            let port = Int.random(in: 10_000..<32_000)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            sockets.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            address.sin_port = UInt16(port).bigEndian
            let isFree = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isFree, given.withLock({ $0.insert(port).inserted }) { ports.append(port) }
        }
        guard ports.count == count else { throw Failure("no free ports") }
        return ports
    }
}
