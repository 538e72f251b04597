// A repository and a cluster may not lie in one another: what cleans or restores the one would remove the other.

import BackstopCore
import Glibc

/// A folder or file of this host that a repository or a cluster takes up.
struct TakenPlace: Sendable {
    /// Tells one file from another, under whatever names a file system is mounted.
    struct Identity: Hashable, Sendable {
        var device: UInt64
        var number: UInt64
    }

    /// For people: `repo1-path`, `tablespace 'space'`.
    var name: String
    /// As it is written in options or links.
    var given: String
    /// Absolute, and no part of it is a link.
    var path: String
    /// Nil when nothing is there yet.
    var identity: Identity?
    /// Of the folders above.
    var above: Set<Identity> = []

    private func isSame(_ other: TakenPlace) -> Bool {
        sameBytes(path, other.path) || identity != nil && identity == other.identity
    }

    private func isIn(_ other: TakenPlace) -> Bool {
        path.isBelow(other.path == "/" ? "" : other.path) || other.identity.map(above.contains) ?? false
    }

    /// What is wrong with the first repository that shares a place with a part of the cluster; nil when all are apart.
    static func overlap(repositories: [TakenPlace], cluster: [TakenPlace]) -> String? {
        for repository in repositories {
            for part in cluster {
                let relation =
                    repository.isSame(part) ? "is" : repository.isIn(part) ? "is in" : part.isIn(repository) ? "contains" : nil
                guard let relation else { continue }
                func text(_ place: TakenPlace) -> String {
                    "\(place.name) '\(place.given)'" + (sameBytes(place.given, place.path) ? "" : " (\(place.path))")
                }
                return "\(text(repository)) \(relation) \(text(part)) of the cluster"
            }
        }
        return nil
    }
}

extension TakenPlace {
    /// `given`: absolute; it need not exist.
    init(_ name: String, _ given: String) {
        self.init(name: name, given: given, path: resolvedPath(given, link: linkText))
        identity = Self.identity(path)
        var folder = path
        while folder != "/" {
            folder = folder.utf8.lastIndex(of: UInt8(ascii: "/")).map { $0 == folder.startIndex ? "/" : String(folder[..<$0]) } ?? "/"
            if let identity = Self.identity(folder) { above.insert(identity) }
        }
    }

    private static func identity(_ path: String) -> Identity? {
        pathStatus(path).map { Identity(device: UInt64($0.st_dev), number: UInt64($0.st_ino)) }
    }
}

/// Where the absolute `path` leads, also when its end does not exist yet. `link`: the text of a symbolic link, nil for anything else.
func resolvedPath(_ path: String, link: (String) -> String?) -> String {
    var done: [String] = []
    var rest = Array(path.pathParts.reversed())
    // As many as the kernel follows.
    var left = 40
    while let part = rest.popLast() {
        if part.isEmpty || part == "." { continue }
        if part == ".." {
            _ = done.popLast()
            continue
        }
        done.append(part)
        guard left > 0, let target = link("/" + done.joined(separator: "/")) else { continue }
        left -= 1
        if target.hasBytes("/") { done = [] } else { done.removeLast() }
        rest += target.pathParts.reversed()
    }
    return "/" + done.joined(separator: "/")
}
