# What Debian's cross toolchains have in common. In: TUNEFLEET_TRIPLE. Libraries of the other architecture lie in
# /usr/lib/TRIPLE, headers are shared, and protoc and its plugin are this machine's.
set(CMAKE_C_COMPILER "${TUNEFLEET_TRIPLE}-gcc")
set(CMAKE_CXX_COMPILER "${TUNEFLEET_TRIPLE}-g++")
set(CMAKE_LIBRARY_ARCHITECTURE "${TUNEFLEET_TRIPLE}")
set(ENV{PKG_CONFIG_LIBDIR} "/usr/lib/${TUNEFLEET_TRIPLE}/pkgconfig:/usr/share/pkgconfig")
