# cmake -DSOURCE=… -DOUTPUT=… -P: writes the digest of every header that a recipe can see. Comments and white space do
# not count, so only changes that may alter what crosses to a module refuse older ones.
file(GLOB headers RELATIVE ${SOURCE} ${SOURCE}/engine/base/*.h ${SOURCE}/engine/feed/*.h ${SOURCE}/engine/metrics/*.h
  ${SOURCE}/engine/api/*.h ${SOURCE}/engine/data/*.h ${SOURCE}/engine/nn/*.h ${SOURCE}/engine/quant/*.h
  ${SOURCE}/engine/interop/*.h)
list(SORT headers)
set(all "")
foreach(header ${headers})
  file(READ ${SOURCE}/${header} text)
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  string(REGEX REPLACE "[ \n\t]+" " " text "${text}")
  string(APPEND all "${header}\n${text}\n")
endforeach()
string(SHA256 digest "${all}")
string(SUBSTRING ${digest} 0 12 digest)
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#pragma once\n// Digest of the headers that a recipe can see.\n#define ESPALIER_API_STAMP \"${digest}\"\n")
