// The calls of the operating system that take names, for names as texts (FileName). They hide those of the C library, which would take the
// bytes of the text: no call of this module can forget the difference.

internal import BackstopCore
internal import Glibc

func open(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 { path.withSystemName { Glibc.open($0, flags, mode) } }
func unlink(_ path: String) -> Int32 { path.withSystemName { Glibc.unlink($0) } }
func mkdir(_ path: String, _ mode: mode_t) -> Int32 { path.withSystemName { Glibc.mkdir($0, mode) } }
func rmdir(_ path: String) -> Int32 { path.withSystemName { Glibc.rmdir($0) } }
func rename(_ old: String, _ new: String) -> Int32 {
    old.withSystemName { old in new.withSystemName { Glibc.rename(old, $0) } }
}
func link(_ old: String, _ new: String) -> Int32 {
    old.withSystemName { old in new.withSystemName { Glibc.link(old, $0) } }
}
func symlink(_ target: String, _ path: String) -> Int32 {
    target.withSystemName { target in path.withSystemName { Glibc.symlink(target, $0) } }
}
func opendir(_ path: String) -> OpaquePointer? { path.withSystemName { Glibc.opendir($0) } }
func chmod(_ path: String, _ mode: mode_t) -> Int32 { path.withSystemName { Glibc.chmod($0, mode) } }
func lchown(_ path: String, _ user: uid_t, _ group: gid_t) -> Int32 { path.withSystemName { Glibc.lchown($0, user, group) } }
func utimensat(_ folder: Int32, _ path: String, _ times: [timespec], _ flags: Int32) -> Int32 {
    path.withSystemName { Glibc.utimensat(folder, $0, times, flags) }
}
