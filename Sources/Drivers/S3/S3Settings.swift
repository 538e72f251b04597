// What the options of a repository say about its store.

internal import BackstopCore

/// Where the bucket is and how objects are written.
struct S3Settings: Sendable {
    enum URIStyle: Sendable { case host, path }
    enum LockMode: String, Sendable { case governance = "GOVERNANCE", compliance = "COMPLIANCE" }

    /// Its number in the configuration, for messages.
    var repository = 1
    var bucket: String
    var region: String
    var service = "s3"
    var uriStyle = URIStyle.host
    var endpoint: Endpoint
    /// Where to connect to instead; the endpoint stays in the Host header.
    var connectTo: Endpoint?
    /// What all keys begin with, without `/` at its ends.
    var prefix = ""

    var tags: [(name: String, value: String)] = []
    var kmsKeyID: String?
    /// Base64 of 32 bytes.
    var customerKey: String?
    var requesterPays = false
    var lock: (mode: LockMode, days: Int)?
    /// Unix seconds: the bucket is seen as it was then, and nothing can be changed.
    var targetTime: Int64?

    /// Bytes of the first parts of an upload; later parts are larger.
    var partSize = 5 << 20
    /// Parts on their way at a time, per object.
    var partsInFlight = 4
    /// Bytes asked for at a time when reading: a compressed WAL segment in one request, since a second connection costs two round trips.
    var readSize = 8 << 20
    /// Requests sent ahead of reading.
    var prefetch = 3

    var http = HTTPSettings()

    /// A host with its scheme and port, of `[http[s]://]host[:port]`.
    struct Endpoint: Sendable, Equatable {
        var scheme = "https"
        var host: String
        var port: Int

        init(_ text: String, option: String) throws(BackupError) {
            var rest = text[...]
            for scheme in ["https", "http"] where rest.hasPrefix("\(scheme)://") {
                self.scheme = scheme
                rest = rest.dropFirst(scheme.count + 3)
            }
            if rest.hasSuffix("/") { rest = rest.dropLast() }
            port = scheme == "https" ? 443 : 80
            // An address of IPv6 stands in brackets, and has colons of its own.
            if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") {
                guard let number = Int(rest[rest.index(after: colon)...]), (1...65535).contains(number) else {
                    throw Self.malformed(text, option)
                }
                port = number
                rest = rest[..<colon]
            }
            host = String(rest)
            let allowed = host.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
                    true
                default: false
                }
            }
            let isAddress = host.hasPrefix("[") && host.hasSuffix("]")
            guard !host.isEmpty, allowed, isAddress || !host.contains(where: { "[]:".contains($0) }) else {
                throw Self.malformed(text, option)
            }
        }

        private static func malformed(_ text: String, _ option: String) -> BackupError {
            BackupError(
                .optionInvalidValue, "'\(text)' is not valid for '\(option)' option",
                hint: "it is a host, with a scheme before it or a port after it when they are not the usual: http://localhost:8333.")
        }

        /// As in a Host header: with the port unless it is the usual one of the scheme.
        func authority(_ host: String) -> String { port == (scheme == "https" ? 443 : 80) ? host : "\(host):\(port)" }
    }

    /// A bucket has no host of its own below a number.
    var needsPathStyle: Bool {
        let isNumber = endpoint.host.hasPrefix("[") || endpoint.host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (48...57).contains($0) }
        return uriStyle == .host && connectTo == nil && isNumber
    }

    /// The host of requests: the endpoint's, or the bucket's own below it.
    private var bucketHost: String { uriStyle == .host ? "\(bucket).\(endpoint.host)" : endpoint.host }

    var hostHeader: String { endpoint.authority(bucketHost) }

    /// `https://host:port`.
    var origin: String {
        guard let connectTo else { return "\(endpoint.scheme)://\(endpoint.authority(bucketHost))" }
        return "\(connectTo.scheme)://\(connectTo.authority(connectTo.host))"
    }

    var isEncrypted: Bool { (connectTo ?? endpoint).scheme == "https" }

    /// The path of the bucket in a URL, with `/` at its end.
    var bucketPath: String { uriStyle == .host ? "/" : "/\(SignatureV4.encoded(bucket))/" }

    /// The name of the object.
    func name(_ key: Key) -> String { prefix.isEmpty ? key.path : key.isRoot ? prefix : "\(prefix)/\(key.path)" }

    /// The key of an object; nil when it is not in this repository or no key at all.
    func key(ofName name: String) -> Key? {
        guard !prefix.isEmpty else { return try? Key(checking: name) }
        return name.isBelow(prefix) ? try? Key(checking: name.droppingBytes(prefix.utf8.count + 1)) : nil
    }

    /// For messages.
    var location: String { "s3://\(bucket)" + (prefix.isEmpty ? "" : "/\(prefix)") }

    /// Bytes of part `number` (from 1). They double every 900 parts, so that 10 000 parts hold any object that a store takes (5 TiB), but no
    /// part is above the limit of 5 GiB.
    func size(ofPart number: Int) -> Int { min(partSize << min((number - 1) / 900, 20), 5 << 30) }
}
