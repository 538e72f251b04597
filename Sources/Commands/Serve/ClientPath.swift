// What a name in a repository is, for clients that may do only a part.

import BackstopCore

/// By repository-format.md section 1.1. What the name alone says: a link may be behind it.
struct ClientPath {
    private let parts: [Substring]

    init(_ key: Key) { parts = key.path.split(separator: "/", omittingEmptySubsequences: false) }

    private func isNamed(_ name: Substring, _ file: String) -> Bool { name == file || name == file + Layout.copySuffix }

    /// `archive.info`, `backup.info` and their copies.
    var isStanzaInfo: Bool {
        guard parts.count == 3 else { return false }
        return parts[0] == "archive" && isNamed(parts[2], "archive.info") || parts[0] == "backup" && isNamed(parts[2], "backup.info")
    }

    /// A claim (decision 0008): written again and removed by whoever made it, read by all.
    var isLease: Bool { parts.count == 3 && parts[0] == "backup" && LeaseRecord.token(inName: parts[2]) != nil }

    /// The folder of the backup that it belongs to.
    var backup: Key? {
        guard parts.count > 3, parts[0] == "backup", let label = BackupLabel(parts[2]) else { return nil }
        return Layout(stanza: String(parts[1])).backup(label)
    }

    /// What a writer has to read: claims, the info files, the manifests of earlier backups, and timelines.
    var isInfo: Bool {
        if isStanzaInfo || isLease { return true }
        guard parts.count == 4 else { return false }
        if parts[0] == "archive" {
            let name = parts[3].utf8
            return name.prefix(8).allSatisfy(isUpperHexadecimal) && name.dropFirst(8).starts(with: ".history".utf8)
        }
        return backup != nil && isNamed(parts[3], "backup.manifest")
    }

    /// Whether it is one of the links that backups make: `latest`, and those of tablespaces.
    func isLink(to target: String) -> Bool {
        guard parts.count > 2, parts[0] == "backup" else { return false }
        if parts.count == 3 { return parts[2] == "latest" && BackupLabel(target) != nil }
        return parts.count == 6 && backup != nil && parts[3] == Manifest.dataName && parts[4] == Manifest.tablespaceName
            && target == "../../\(Manifest.tablespaceName)/\(parts[5])"
    }
}
