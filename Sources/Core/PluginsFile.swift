// plugins.conf: which drivers, codecs, ciphers and checksums exist here. A name that is not in it does not exist.

/// The operator's allow-list. Lines are `name = builtin`, in the sections `[storage]`, `[codec]`, `[cipher]` and `[checksum]`.
public struct PluginsFile: Sendable {
    public enum Section: String, Sendable, CaseIterable { case storage, codec, cipher, checksum }

    private var entries: [Section: [String]] = [:]

    public func names(_ section: Section) -> [String] { entries[section] ?? [] }

    /// `path` is for messages only.
    public init(text: String, path: String) throws(BackupError) {
        var section: Section?
        for (number, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)[0].trimmed
            if line.isEmpty { continue }
            let place = "\(path) line \(number + 1)"
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = Section(rawValue: String(line.dropFirst().dropLast()))
                guard section != nil else {
                    throw BackupError(
                        .config, "\(place): unknown section \(line)",
                        hint: "sections are \(Section.allCases.map { "[\($0.rawValue)]" }.joined(separator: ", ")).")
                }
                continue
            }
            let parts = line.split(separator: "=", maxSplits: 1).map(\.trimmed)
            guard let section, parts.count == 2, !parts[0].isEmpty else {
                throw BackupError(.config, "\(place): '\(line)' is not NAME = builtin in a section")
            }
            guard parts[1] == "builtin" else {
                throw BackupError(
                    .unsupported, "\(place): '\(parts[1])' is not supported yet",
                    hint: "this version knows only what is built in: write '\(parts[0]) = builtin'.")
            }
            entries[section, default: []].append(parts[0])
        }
    }
}

extension StringProtocol {
    /// Without blanks at both ends.
    public var trimmed: String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        guard let first = firstIndex(where: { !blank($0) }), let last = lastIndex(where: { !blank($0) }) else { return "" }
        return String(self[first...last])
    }
}
