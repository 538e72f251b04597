// Paths as links have them.

import BackstopCore

/// `path` as seen from `folder`, without `.` and `..` parts.
func absolute(_ path: String, from folder: String) -> String {
    var parts: [String] = []
    for part in (path.hasBytes("/") ? path : "\(folder)/\(path)").pathParts where !part.isEmpty && part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
}
