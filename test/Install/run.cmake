# Installs the build into an empty prefix, builds the project beside this file
# against it, and runs that.
cmake_minimum_required(VERSION 3.25)

set(prefix "${BUILD}/test/Install/prefix")
set(consumer "${BUILD}/test/Install/consumer")
file(REMOVE_RECURSE "${prefix}" "${consumer}")

execute_process(COMMAND ${CMAKE_COMMAND} --install "${BUILD}" --prefix "${prefix}"
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} -G Ninja -S "${SOURCE}" -B "${consumer}"
  -D "CMAKE_PREFIX_PATH=${prefix}" -D "CMAKE_C_COMPILER=${C_COMPILER}" -D "CMAKE_CXX_COMPILER=${COMPILER}"
  -D "CMAKE_EXE_LINKER_FLAGS=${LINKER_FLAGS}" -D CMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build "${consumer}" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${consumer}/consumer" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${prefix}/bin/tiny-opt" --version COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE "${prefix}" "${consumer}")
