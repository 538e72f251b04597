// Files of known hosts, as ssh keeps them (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").

internal import BackstopCore
internal import CCrypto
internal import Glibc

struct KnownHosts {
    enum Verdict: Equatable {
        case known
        /// Nothing is known of the host.
        case unknown
        /// The host is known with other keys; `line`: where.
        case changed(line: String)
        case revoked(line: String)
    }

    private struct Line {
        /// `@revoked`, or `@cert-authority`, which vouches for certificates only.
        var marker: String?
        var patterns: [String]
        var type: String
        var key: [UInt8]
        /// `file:number`.
        var place: String
    }

    private var lines: [Line] = []
    /// What could not be read, and why.
    private(set) var unreadable: [String] = []

    init(files: [String]) {
        for file in files {
            switch contents(ofFile: file) {
            case .success(let bytes): add(bytes, file)
            case .failure(let error): unreadable.append("\(file) (\(error.message))")
            }
        }
    }

    private mutating func add(_ content: [UInt8], _ file: String) {
        for (number, line) in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            var words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
                .map { String(decoding: $0, as: UTF8.self) }[...]
            var marker: String?
            if words.first?.hasPrefix("@") == true { marker = words.removeFirst() }
            guard words.count >= 3, !words[words.startIndex].hasPrefix("#") else { continue }
            let (patterns, type, text) = (words.removeFirst(), words.removeFirst(), words.removeFirst())
            guard let key = bytes(base64: text) else { continue }
            lines.append(
                Line(
                    marker: marker, patterns: patterns.split(separator: ",").map(String.init), type: type, key: key,
                    place: "\(file):\(number + 1)"))
        }
    }

    /// How a host may be written, the narrower way first.
    private static func names(_ host: String, _ port: Int) -> [String] { ["[\(host.lowercased())]:\(port)", host.lowercased()] }

    /// The lines with good keys of a host: those of its port, or when there are none those that name no port.
    private func lines(_ host: String, _ port: Int) -> [Line] {
        for name in Self.names(host, port) {
            let found = lines.filter { $0.marker == nil && Self.matches(name, $0.patterns) }
            if !found.isEmpty { return found }
        }
        return []
    }

    func verdict(_ host: String, _ port: Int, _ key: [UInt8]) -> Verdict {
        let names = Self.names(host, port)
        let revoked = lines.first { line in
            line.marker == "@revoked" && line.key == key && names.contains { Self.matches($0, line.patterns) }
        }
        if let revoked { return .revoked(line: revoked.place) }
        let good = lines(host, port)
        if good.contains(where: { $0.key == key }) { return .known }
        return good.first.map { .changed(line: $0.place) } ?? .unknown
    }

    /// The types of the keys that are known of a host.
    func types(_ host: String, _ port: Int) -> [String] { lines(host, port).map(\.type) }

    /// How a host is written in a file.
    static func name(_ host: String, _ port: Int) -> String { port == 22 ? host.lowercased() : "[\(host.lowercased())]:\(port)" }

    private static func matches(_ name: String, _ patterns: [String]) -> Bool {
        var found = false
        for pattern in patterns {
            if pattern.hasPrefix("|1|") {
                found = found || matches(name, hashed: pattern)
            } else if pattern.hasPrefix("!") {
                if fnmatch(name, String(pattern.dropFirst())) { return false }
            } else {
                found = found || fnmatch(name, pattern)
            }
        }
        return found
    }

    /// `|1|salt|hash`: the name of the host is not told.
    private static func matches(_ name: String, hashed pattern: String) -> Bool {
        let parts = pattern.split(separator: "|").dropFirst().compactMap { bytes(base64: String($0)) }
        guard parts.count == 2 else { return false }
        var hash = [UInt8](repeating: 0, count: 20)
        var length: UInt32 = 20
        let message = Array(name.utf8)
        guard HMAC(EVP_sha1(), parts[0], Int32(parts[0].count), message, message.count, &hash, &length) != nil else { return false }
        return hash == parts[1]
    }

    /// Whether a pattern with `*` and `?` fits. Only those two mean something: a host in brackets is no set of letters.
    private static func fnmatch(_ name: String, _ pattern: String) -> Bool {
        let name = Array(name.utf8), pattern = Array(pattern.lowercased().utf8)
        var (n, p, star, mark) = (0, 0, -1, 0)
        while n < name.count {
            if p < pattern.count, pattern[p] == name[n] || pattern[p] == UInt8(ascii: "?") {
                (n, p) = (n + 1, p + 1)
            } else if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                (star, mark, p) = (p, n, p + 1)
            } else if star >= 0 {
                (p, mark, n) = (star + 1, mark + 1, mark + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Adds a host to a file, which is made when it is missing.
    static func add(_ host: String, _ port: Int, type: String, key: [UInt8], to file: String) throws(BackupError) {
        var line = "\(name(host, port)) \(type) \(base64(key))\n"
        if case .success(let old) = contents(ofFile: file), let last = old.last, last != UInt8(ascii: "\n") { line = "\n" + line }
        let folder = parentPath(file)
        if mkdir(folder, 0o700) != 0 && errno != EEXIST { throw systemError("create path", folder, denied: .pathCreate) }
        let descriptor = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw systemError("open", file) }
        defer { close(descriptor) }
        let bytes = Array(line.utf8)
        // One write, so that two that add at a time do not mix.
        if write(descriptor, bytes, bytes.count) != bytes.count { throw systemError("write", file, otherwise: .fileWrite) }
    }
}

/// A file of this host that has to do with keys, none of which is long.
func contents(ofFile file: String) -> Result<[UInt8], BackupError> {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return .failure(BackupError(.fileOpen, systemMessage(errno))) }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while content.count < 16 << 20 {
        let got = read(descriptor, &piece, piece.count)
        if got < 0 && errno == EINTR { continue }
        guard got >= 0 else { return .failure(BackupError(.fileRead, systemMessage(errno))) }
        if got == 0 { break }
        content += piece[..<got]
    }
    return .success(content)
}
