// Users and groups of this host by id and by name, and the setting of owner, mode and time.

internal import BackstopCore
internal import Glibc
internal import Synchronization

/// Look-ups are kept: a cluster of a million files has two of them.
final class Accounts: Sendable {
    private struct Known {
        var users: [uid_t: String?] = [:]
        var groups: [gid_t: String?] = [:]
        var userIDs: [String: uid_t?] = [:]
        var groupIDs: [String: gid_t?] = [:]
    }

    /// One for the process, because the look-ups of the C library share their result.
    static let shared = Accounts()

    private let known = Mutex(Known())

    private init() {}

    func userName(_ id: uid_t) -> String? {
        known.withLock { known in
            if let name = known.users[id] { return name }
            let name = getpwuid(id).map { String(cString: $0.pointee.pw_name) }
            known.users[id] = .some(name)
            return name
        }
    }

    func groupName(_ id: gid_t) -> String? {
        known.withLock { known in
            if let name = known.groups[id] { return name }
            let name = getgrgid(id).map { String(cString: $0.pointee.gr_name) }
            known.groups[id] = .some(name)
            return name
        }
    }

    private func userID(_ name: String) -> uid_t? {
        known.withLock { known in
            if let id = known.userIDs[name] { return id }
            let id = getpwnam(name).map { $0.pointee.pw_uid }
            known.userIDs[name] = .some(id)
            return id
        }
    }

    private func groupID(_ name: String) -> gid_t? {
        known.withLock { known in
            if let id = known.groupIDs[name] { return id }
            let id = getgrnam(name).map { $0.pointee.gr_gid }
            known.groupIDs[name] = .some(id)
            return id
        }
    }

    /// Sets what is given on an open file. Only root changes owners; names that do not exist here leave the owner as it is.
    func apply(_ attributes: Attributes, descriptor: Int32, path: String) throws(BackupError) {
        if let (user, group) = owner(attributes) { try call("set owner of", path) { fchown(descriptor, user, group) } }
        if let mode = attributes.mode { try call("set mode of", path) { fchmod(descriptor, mode) } }
        if let modified = attributes.modified {
            let times = [timespec(tv_sec: Int(modified), tv_nsec: 0), timespec(tv_sec: Int(modified), tv_nsec: 0)]
            try call("set time of", path) { futimens(descriptor, times) }
        }
    }

    /// The same by path. The owner of a link is its own; mode and time follow it.
    func apply(_ attributes: Attributes, path: String) throws(BackupError) {
        if let (user, group) = owner(attributes) { try call("set owner of", path) { lchown(path, user, group) } }
        if let mode = attributes.mode { try call("set mode of", path) { chmod(path, mode) } }
        if let modified = attributes.modified {
            let times = [timespec(tv_sec: Int(modified), tv_nsec: 0), timespec(tv_sec: Int(modified), tv_nsec: 0)]
            try call("set time of", path) { utimensat(AT_FDCWD, path, times, 0) }
        }
    }

    private func owner(_ attributes: Attributes) -> (uid_t, gid_t)? {
        guard geteuid() == 0, attributes.user != nil || attributes.group != nil else { return nil }
        return (attributes.user.flatMap(userID) ?? uid_t.max, attributes.group.flatMap(groupID) ?? gid_t.max)
    }
}
