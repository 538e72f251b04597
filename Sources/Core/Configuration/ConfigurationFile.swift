// The INI dialect of the configuration files (cli.md section 1.6): sections, keys, values and where each was written.

import Glibc

/// One or more files, read one after the other into the same sections.
struct ConfigurationFile {
    struct Entry {
        var key: String
        var value: String
        var path: String
        var line: Int
        var place: String { "\(path) line \(line)" }
        /// Whether it is in a file of pgBackRest, which warns of what it does not know.
        var isPeers: Bool
    }

    private(set) var sections: [String: [Entry]] = [:]

    func hasStanza(_ name: String) -> Bool { sections.keys.contains { $0 == name || $0.hasPrefix(name + ":") } }

    /// `path` is for messages. `isPeers`: it is a file of pgBackRest.
    mutating func append(_ bytes: [UInt8], path: String, isPeers: Bool = false) throws(BackupError) {
        var section: String?
        // Editors of another system put a byte-order mark in front.
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        for (number, raw) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let place = "\(path) line \(number + 1)"
            // Comments may be of another time, and names of files of any bytes.
            let line = FileName.text(raw).trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            if line.hasPrefix("[") {
                guard line.hasSuffix("]") else { throw BackupError(.format, "\(place): '\(line)' has no ] at its end") }
                let name = String(line.dropFirst().dropLast())
                guard !name.trimmed.isEmpty else { throw BackupError(.format, "\(place): [] has no name in it") }
                section = name
                continue
            }
            guard let equals = line.firstIndex(of: "=") else {
                // The rest may be a secret, and messages get into the logs of others.
                let word = line.prefix { !$0.isWhitespace && $0 != ":" }
                throw BackupError(
                    .format, "\(place): the line that begins with '\(word.prefix(40))' is not KEY=VALUE",
                    hint: line.hasPrefix(";") ? "comments begin with #." : "there is no = in it.")
            }
            let key = line[..<equals].trimmed
            guard !key.isEmpty else { throw BackupError(.format, "\(place): there is no key before =") }
            guard let section else {
                throw BackupError(.format, "\(place): '\(key)' is not in a section", hint: "put a line like [global] above it.")
            }
            sections[section, default: []].append(
                Entry(
                    key: key, value: line[line.index(after: equals)...].trimmed, path: path, line: number + 1, isPeers: isPeers))
        }
    }
}

/// The whole of a file; nil when there is none.
public func readFile(_ path: String) throws(BackupError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
        let number = errno
        if number == ENOENT || number == ENOTDIR { return nil }
        throw BackupError(
            .fileOpen, "unable to open '\(path)': \(systemMessage(number))",
            hint: number == EACCES
                ? "check owner and mode of the file and of the folders above it; this process runs as user id \(geteuid())." : nil)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var count = 0
    repeat {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: 16384))
        count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + start, 16384) }
        if count < 0, errno != EINTR { throw BackupError(.fileRead, "unable to read '\(path)': \(systemMessage(errno))") }
        bytes.removeLast(16384 - max(0, count))
    } while count != 0
    return bytes
}
