// The section [cipher] of an info file or a manifest: the keys of what the file stands for (format-6.md section 2.1).

import BackstopCore

/// Kept as it was read, so that keys and members of other versions survive a rewrite.
struct CipherSection: Sendable, Equatable {
    private var entries: [String: JSON] = [:]

    static let name = "cipher"
    private static let pass = "cipher-pass"
    private static let current = "cipher-pass-current"

    init() {}

    /// Of a new file, in the form of the format that is written here.
    init(_ seal: Seal?) {
        guard let seal else { return }
        entries[Self.pass] = .string(seal.keys.keys[CipherKeys.unnamed]?.text ?? "")
    }

    mutating func add(_ section: String, _ key: String, _ value: JSON) { if section == Self.name { entries[key] = value } }

    /// In the order of the file.
    var lines: [(section: String, key: String, value: JSON)] {
        entries.keys.sorted(by: bytewiseLess).map { (Self.name, $0, entries[$0] ?? .null) }
    }

    func write(to writer: inout InfoFileWriter) {
        for line in lines { writer.add(line.section, line.key, line.value) }
    }

    /// nil: it names none. Throws `.format` (29) for what is not of the form of the file's format, which the peer crashes of.
    func keys(format: Int) throws(BackupError) -> [String: CipherKey]? {
        guard let pass = entries[Self.pass] else { return nil }
        guard format > CipherHeader.formatOfSalted else {
            guard let text = pass.string else { throw Self.invalid("\(Self.pass) of a file of format \(format) is not a text") }
            return [CipherKeys.unnamed: CipherKey(text, .sha1)]
        }
        guard let members = pass.object else { throw Self.invalid("\(Self.pass) of a file of format \(format) is not a map of keys") }
        var keys: [String: CipherKey] = [:]
        for (id, member) in members {
            guard let text = member["key"]?.string, !text.isEmpty, let digest = member["digest"]?.string else {
                throw Self.invalid("key '\(id)' of \(Self.pass) has no text or no digest")
            }
            guard let derivation = CipherKey.Derivation(rawValue: digest) else {
                throw Self.invalid("key '\(id)' of \(Self.pass) has the digest '\(digest)', which is not known")
            }
            keys[id] = CipherKey(text, derivation)
        }
        if let current = entries[Self.current], current.string.map({ keys[$0] == nil }) ?? true {
            throw Self.invalid("\(Self.current) names the key \(current.text), which \(Self.pass) does not have")
        }
        return keys
    }

    private static func invalid(_ message: String) -> BackupError {
        BackupError(
            .format, "[cipher]: \(message)",
            hint: "was the file repaired by hand, or put together of two?"
                + "\nput it back from another copy of the repository.")
    }
}
